#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <tuple>

#include "core/fields.hpp"
#include "core/trace.hpp"

/// What the text of a trace is made of, for its writer and its readers.

namespace antiphon::form {

/// A struct that only gives a number a type: written as the number.
template <class T>
concept Number = Described<T> && std::tuple_size_v<decltype(T::fields)> == 1 && requires(T value) {
  { value.number } -> std::convertible_to<std::int64_t>;
};

inline constexpr std::string_view done = "ok";
inline constexpr std::string_view hex_digits = "0123456789abcdef";
inline constexpr std::size_t crc_digits = 16;

constexpr bool is_text(char byte) {
  return (byte >= ' ' && byte <= '~') || byte == '\n' || byte == '\r' || byte == '\t';
}

constexpr bool carries_bytes(ClientEvent::Kind kind) {
  return kind == ClientEvent::Kind::sent || kind == ClientEvent::Kind::received;
}

/// `,"name":` of each field of a struct, known when this is compiled. Of the first one the comma may be a brace.
template <class T, std::size_t Index, char First = ','>
inline constexpr auto key_of = [] {
  constexpr std::string_view name = std::get<Index>(T::fields).name;
  std::array<char, name.size() + 4> key{};
  key[0] = First;
  key[1] = '"';
  for (std::size_t at = 0; at < name.size(); ++at) key[at + 2] = name[at];
  key[name.size() + 2] = '"';
  key[name.size() + 3] = ':';
  return key;
}();

/// How many of the first bytes stand for themselves between quotes: printable ASCII but `"` and `\`.
inline std::size_t plain_length(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101010101010101ULL;
  constexpr std::uint64_t highs = 0x8080808080808080ULL;
  // For words without high bits: a high bit where a byte is that one, or below it, or above.
  const auto has = [](std::uint64_t word, char byte) {
    const std::uint64_t other = word ^ (ones * static_cast<unsigned char>(byte));
    return (other - ones) & ~other & highs;
  };
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof(word));
    const std::uint64_t below_space = (word - ones * ' ') & ~word & highs;
    const std::uint64_t is_delete = has(word, '\x7f');
    if (((word & highs) | below_space | is_delete | has(word, '"') | has(word, '\\')) != 0) break;
  }
  while (at < text.size() && text[at] >= ' ' && text[at] <= '~' && text[at] != '"' && text[at] != '\\') ++at;
  return at;
}

}  // namespace antiphon::form
