#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/bytes.hpp"
#include "core/stream_digest.hpp"
#include "core/trace.hpp"

namespace antiphon {

/// Digests stand for no more bytes than that together: more than anybody sends or receives at once.
inline constexpr std::uint64_t most_digested = std::uint64_t{1} << 31U;

/// The digest of bytes that are at hand.
StreamDigest digest_of(std::string_view content);
/// The digest of bytes that are kept, or what is known of those that are not.
std::optional<StreamDigest> known_digest(const Bytes& bytes);

/// Bytes as one stretch, or as two if they are cut.
struct Stretches {
  std::array<StreamDigest, 2> digests;
  std::size_t count = 1;

  /// `cut`: how many of the bytes are before it. 0, or as many as there are: there is no cut.
  Stretches(const Bytes& bytes, std::size_t cut);
  [[nodiscard]] std::span<const StreamDigest> all() const { return std::span(digests).first(count); }
};

/// Where bytes are cut for their digests: what a Send carried, and what it left.
template <Instruction I>
std::size_t cut_of(const Exchange<I>& exchange) {
  if constexpr (std::same_as<I, Send>) return exchange.response ? exchange.response->value_or(0) : 0;
  return 0;
}

}  // namespace antiphon
