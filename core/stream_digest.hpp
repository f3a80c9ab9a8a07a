#pragma once

#include <cstdint>

namespace antiphon {

/// What is known of a stretch of a stream whose bytes are not kept: how many there are, and their CRC-64 (the
/// polynomial of ECMA-182, bits reflected, no initial value and none at the end). It composes: of two stretches, one
/// behind the other, the whole is known from the parts, and the second part from the whole and the first. Not for use
/// against an adversary.
struct StreamDigest {
  std::uint64_t size = 0;
  std::uint64_t crc = 0;

  bool operator==(const StreamDigest&) const = default;
};

/// The stretch that is made of both.
StreamDigest operator+(const StreamDigest& front, const StreamDigest& rest);

/// What is left of the whole behind `front`, which it begins with and which is not longer.
StreamDigest without_front(const StreamDigest& whole, const StreamDigest& front);

}  // namespace antiphon
