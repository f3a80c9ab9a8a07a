#include "core/stream_digest.hpp"

#include <array>

namespace antiphon {

namespace {

/// Polynomials over GF(2) modulo that of ECMA-182; the highest bit is the coefficient of x^0.
constexpr std::uint64_t modulus = 0xC96C5795D7870F42ULL;
constexpr std::uint64_t one = std::uint64_t{1} << 63U;

constexpr std::uint64_t product(std::uint64_t left, std::uint64_t right) {
  std::uint64_t sum = 0;
  for (; left != 0; left <<= 1U) {
    if ((left & one) != 0) sum ^= right;
    right = (right >> 1U) ^ ((right & 1U) != 0 ? modulus : 0);
  }
  return sum;
}

/// x^8, x^16, x^32, …: by how much bytes move a CRC, their number taken binary.
constexpr std::array<std::uint64_t, 64> moves = [] {
  std::array<std::uint64_t, 64> squares{one >> 8U};
  for (std::size_t place = 1; place < squares.size(); ++place) {
    squares[place] = product(squares[place - 1], squares[place - 1]);
  }
  return squares;
}();

/// The CRC of the same bytes with so many zeros behind them.
std::uint64_t moved(std::uint64_t crc, std::uint64_t bytes) {
  for (std::size_t place = 0; bytes != 0; ++place, bytes >>= 1U) {
    if ((bytes & 1U) != 0) crc = product(crc, moves.at(place));
  }
  return crc;
}

}  // namespace

StreamDigest operator+(const StreamDigest& front, const StreamDigest& rest) {
  return {front.size + rest.size, moved(front.crc, rest.size) ^ rest.crc};
}

StreamDigest without_front(const StreamDigest& whole, const StreamDigest& front) {
  const std::uint64_t size = whole.size - front.size;
  return {size, whole.crc ^ moved(front.crc, size)};
}

}  // namespace antiphon
