#pragma once

#include <string_view>

#include "core/stream_digest.hpp"

namespace antiphon {

/// The digest of bytes that are at hand.
StreamDigest digest_of(std::string_view content);

}  // namespace antiphon
