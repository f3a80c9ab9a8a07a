#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/bytes.hpp"
#include "core/fields.hpp"

namespace antiphon {

/// A 128-bit digest of what was mixed into it, in order. It depends on values only: no address, no type name, no
/// std::hash, so it is the same for every compiler and run. Not for use against an adversary.
class Digest {
 public:
  constexpr Digest() = default;
  constexpr explicit Digest(std::uint64_t seed) { add_word(seed); }

  constexpr void add_word(std::uint64_t word) {
    low_ = scramble((low_ ^ word) * 0x9E3779B97F4A7C15ULL);
    high_ = scramble(high_ + word * 0xC2B2AE3D27D4EB4FULL + (low_ >> 32U));
  }
  constexpr void add_text(std::string_view text) {
    add_word(text.size());
    for (; text.size() > 8; text.remove_prefix(8)) add_word(whole_word_of(text));
    if (!text.empty()) add_word(word_of(text));
  }

  [[nodiscard]] constexpr std::uint64_t low() const { return low_; }
  [[nodiscard]] constexpr std::uint64_t high() const { return high_; }
  constexpr auto operator<=>(const Digest&) const = default;

 private:
  static constexpr std::uint64_t scramble(std::uint64_t word) {
    word ^= word >> 31U;
    word *= 0xD6E8FEB86659FD93ULL;
    return word ^ (word >> 29U);
  }
  /// Up to eight bytes, the first one highest.
  static constexpr std::uint64_t word_of(std::string_view bytes) {
    std::uint64_t word = 0;
    for (const char byte : bytes) word = (word << 8U) | static_cast<unsigned char>(byte);
    return word;
  }

  /// The same of the first eight, at once.
  static constexpr std::uint64_t whole_word_of(std::string_view bytes) {
    if consteval {
      return word_of(bytes.substr(0, 8));
    } else {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data(), sizeof(word));
      return std::endian::native == std::endian::little ? std::byteswap(word) : word;
    }
  }

  std::uint64_t low_ = 0x243F6A8885A308D3ULL;
  std::uint64_t high_ = 0x13198A2E03707344ULL;
};

namespace detail {
template <class T>
constexpr bool always_false = false;
template <class T, template <class...> class Template>
constexpr bool is_a = false;
template <template <class...> class Template, class... Arguments>
constexpr bool is_a<Template<Arguments...>, Template> = true;
}  // namespace detail

namespace detail {

template <class T, bool OfNumbers>
constexpr bool identified();

template <bool OfNumbers, class... Ts>
struct AllOf {
  static constexpr bool value = (identified<std::remove_cvref_t<Ts>, OfNumbers>() && ...);
};
template <bool OfNumbers, class T>
struct Parts;
template <bool OfNumbers, template <class...> class Template, class... Ts>
struct Parts<OfNumbers, Template<Ts...>> : AllOf<OfNumbers, Ts...> {};

template <bool>
constexpr bool fields_identified(const std::tuple<>&) {
  return true;
}
template <bool OfNumbers, class T, class... Members>
constexpr bool fields_identified(const std::tuple<Field<T, Members>...>&) {
  return AllOf<OfNumbers, Members...>::value;
}

/// Whether `add` takes a T; or whether it does and the T is made of numbers alone.
template <class T, bool OfNumbers>
constexpr bool identified() {
  if constexpr (std::integral<T> || std::is_enum_v<T> || std::is_empty_v<T>) {
    return true;
  } else if constexpr (std::same_as<T, Bytes> || std::convertible_to<const T&, std::string_view>) {
    return !OfNumbers;
  } else if constexpr (Described<T>) {
    return fields_identified<OfNumbers>(T::fields);
  } else if constexpr (is_a<T, std::optional> || is_a<T, std::expected> || is_a<T, std::variant> ||
                       is_a<T, std::tuple> || is_a<T, std::pair>) {
    return Parts<OfNumbers, T>::value;
  } else if constexpr (requires(const T& range) { range.size(), range.begin(), range.end(); }) {
    // The order of a hash table is no part of its value.
    return !OfNumbers && !requires { typename T::hasher; } && identified<typename T::value_type, OfNumbers>();
  } else {
    return false;
  }
}

}  // namespace detail

/// Values with an identity: what `add` takes.
template <class T>
concept HasIdentity = detail::identified<std::remove_cvref_t<T>, false>();

/// Values made of a few numbers: keeping one and comparing it costs next to nothing, and it refers to nothing.
template <class T>
concept Plain =
    detail::identified<T, true>() && std::equality_comparable<T> && std::is_trivially_copy_constructible_v<T>;

/// Mixes a value into a digest: numbers, text, Bytes, the standard's sums, products and containers, and any struct that
/// lists its `fields`. The state of a loop must be such a value.
template <class T>
constexpr void add(Digest& digest, const T& value) {
  if constexpr (!HasIdentity<T>) {
    static_assert(detail::always_false<T>,
                  "a loop's state and result need an identity: list the struct's members in `fields`");
  } else if constexpr (std::integral<T> || std::is_enum_v<T>) {
    digest.add_word(static_cast<std::uint64_t>(value));
  } else if constexpr (std::is_empty_v<T>) {
    digest.add_word(0);
  } else if constexpr (Described<T>) {
    for_each_field(value, [&](std::string_view, const auto& member) { add(digest, member); });
  } else if constexpr (std::same_as<T, Bytes>) {
    if (value.empty() || value.buffer()->name == 0) return digest.add_text(value.content());
    for (const std::size_t part : {std::size_t{value.buffer()->name}, value.offset(), value.size()}) {
      digest.add_word(part);
    }
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    digest.add_text(value);
  } else if constexpr (detail::is_a<T, std::optional>) {
    digest.add_word(value.has_value() ? 1 : 0);
    if (value) add(digest, *value);
  } else if constexpr (detail::is_a<T, std::expected>) {
    digest.add_word(value.has_value() ? 1 : 0);
    if (value) {
      add(digest, *value);
    } else {
      add(digest, value.error());
    }
  } else if constexpr (detail::is_a<T, std::variant>) {
    digest.add_word(value.index());
    std::visit([&](const auto& held) { add(digest, held); }, value);
  } else if constexpr (detail::is_a<T, std::tuple> || detail::is_a<T, std::pair>) {
    std::apply([&](const auto&... member) { (add(digest, member), ...); }, value);
  } else {
    digest.add_word(value.size());
    for (const auto& element : value) add(digest, element);
  }
}

}  // namespace antiphon
