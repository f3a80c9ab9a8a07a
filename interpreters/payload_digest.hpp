#pragma once

#include <optional>
#include <string_view>

#include "core/bytes.hpp"
#include "core/stream_digest.hpp"

namespace antiphon {

/// The digest of bytes that are at hand.
StreamDigest digest_of(std::string_view content);
/// The digest of bytes that are kept, or what is known of those that are not.
std::optional<StreamDigest> known_digest(const Bytes& bytes);

}  // namespace antiphon
