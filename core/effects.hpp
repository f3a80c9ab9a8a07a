#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "core/fields.hpp"

namespace antiphon {

/// A regular struct that names one effect. It has `Response` (what the world answers), `name` and `fields`.
template <class I>
concept Instruction =
    std::regular<typename I::Response> && std::copyable<I> && std::equality_comparable<I> && Described<I> && requires {
      { I::name } -> std::convertible_to<std::string_view>;
    };

/// Tells instructions apart at run time, the same in every build: a hash of the name.
constexpr std::uint32_t code_of(std::string_view name) {
  std::uint32_t hash = 2166136261U;
  for (const char character : name) hash = (hash ^ static_cast<unsigned char>(character)) * 16777619U;
  return hash;
}

namespace detail {
template <class... Is>
constexpr bool distinct_codes() {
  const std::uint32_t codes[] = {0, code_of(Is::name)...};
  for (std::size_t one = 0; one < std::size(codes); ++one) {
    for (std::size_t other = one + 1; other < std::size(codes); ++other) {
      if (codes[one] == codes[other]) return false;
    }
  }
  return true;
}
}  // namespace detail

/// A set of instructions: what a program may issue.
template <Instruction... Is>
struct Effects {
  static_assert(detail::distinct_codes<Is...>(), "two instructions of an effect set have one name");
};

/// The names of its instructions, in their order.
template <class... Is>
constexpr auto names_of(Effects<Is...>) {
  return std::array<std::string_view, sizeof...(Is)>{Is::name...};
}

template <class I, class Set>
constexpr bool member = false;
template <class I, class... Is>
constexpr bool member<I, Effects<Is...>> = (std::same_as<I, Is> || ...);

template <class Narrow, class Wide>
constexpr bool subset = false;
template <class... Is, class Wide>
constexpr bool subset<Effects<Is...>, Wide> = (member<Is, Wide> && ...);

namespace detail {

template <class Left, class Right>
struct Unite;

template <class... Ls>
struct Unite<Effects<Ls...>, Effects<>> {
  using Type = Effects<Ls...>;
};

template <class... Ls, class R, class... Rs>
struct Unite<Effects<Ls...>, Effects<R, Rs...>> {
  using Grown = std::conditional_t<member<R, Effects<Ls...>>, Effects<Ls...>, Effects<Ls..., R>>;
  using Type = typename Unite<Grown, Effects<Rs...>>::Type;
};

template <class Left, class Right>
struct Combined {
  using Type = typename Unite<Left, Right>::Type;
};
template <class Left, class Right>
  requires(subset<Left, Right>)
struct Combined<Left, Right> {
  using Type = Right;
};

}  // namespace detail

/// The instructions of either set. A set that holds the other one is the answer as it stands.
template <class Left, class Right>
using Combine = typename detail::Combined<Left, Right>::Type;

}  // namespace antiphon
