#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace antiphon {

/// The name of a member and the way to it. A struct that lists its members as
///
///     static constexpr std::tuple fields{Field{"from", &Recv::from}, Field{"at_most", &Recv::at_most}};
///
/// can be digested, printed, written to a trace and read back.
template <class T, class Member>
struct Field {
  std::string_view name;
  Member T::* member;
};

template <class T, class Member>
Field(const char*, Member T::*) -> Field<T, Member>;

template <class T>
concept Described = requires { std::tuple_size<std::remove_cvref_t<decltype(T::fields)>>::value; };

/// Whose fields from number `tail` on say nothing while `tail_is_silent()`: texts leave them out then.
template <class T>
concept Tailed = requires(const T& value) {
  { T::tail } -> std::convertible_to<std::size_t>;
  { value.tail_is_silent() } -> std::same_as<bool>;
};

/// How many fields are never left out.
template <Described T>
inline constexpr std::size_t head_size = [] {
  if constexpr (Tailed<T>) return T::tail;
  return std::tuple_size_v<std::remove_cvref_t<decltype(T::fields)>>;
}();

template <Described T>
constexpr bool has_silent_tail(const T& value) {
  if constexpr (Tailed<T>) return value.tail_is_silent();
  return false;
}

/// Calls `visit(name, member)` for each field, in order.
template <Described T, class Visit>
constexpr void for_each_field(T& value, Visit&& visit) {
  std::apply([&](const auto&... field) { (visit(field.name, value.*(field.member)), ...); },
             std::remove_const_t<T>::fields);
}

}  // namespace antiphon
