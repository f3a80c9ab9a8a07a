#pragma once

#include <concepts>
#include <tuple>

#include "core/bytes.hpp"
#include "core/fields.hpp"

/// Whether programs do the same, without a look at content.

namespace antiphon::verify {

template <class T>
bool is_same_value(const T& one, const T& other) {
  return one == other;
}

/// The same slice of a message; or the program's own bytes, by what they say.
inline bool is_same_value(const Bytes& one, const Bytes& other) {
  if (one.size() != other.size()) return false;
  if (one.empty() || (one.buffer() == other.buffer() && one.offset() == other.offset())) return true;
  return !one.buffer()->marked && !other.buffer()->marked && one.content() == other.content();
}

template <class I>
bool has_same_operands(const I& one, const I& other) {
  return std::apply(
      [&](const auto&... field) { return (is_same_value(one.*(field.member), other.*(field.member)) && ...); },
      I::fields);
}

/// Whether both processes stand at the same instruction with the same operands.
template <class Process>
bool issue_the_same(const Process& one, const Process& other) {
  if (one.finished() || other.finished()) return false;
  bool is_same = false;
  one.pending([&]<class I>(const I& mine) {
    other.pending([&]<class J>(const J& its) {
      if constexpr (std::same_as<I, J>) is_same = has_same_operands(mine, its);
    });
  });
  return is_same;
}

}  // namespace antiphon::verify
