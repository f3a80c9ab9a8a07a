#pragma once

#include <string_view>
#include <tuple>

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

/// Calls `visit(name, member)` for each field, in order.
template <Described T, class Visit>
constexpr void for_each_field(T& value, Visit&& visit) {
  std::apply([&](const auto&... field) { (visit(field.name, value.*(field.member)), ...); },
             std::remove_const_t<T>::fields);
}

}  // namespace antiphon
