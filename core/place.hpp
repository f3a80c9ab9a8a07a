#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "core/detail/cell.hpp"

namespace antiphon {

/// A place in a program's text that issues an instruction: the line that the instruction was written on, and the types
/// of its continuation and of all that waits around it, innermost first. Loops and calls that come round to the same
/// text come to the same place. It means something within one run of the tool only: the types are known by address.
struct Place {
  std::uint_least32_t line = 0;  ///< 0 where the instruction does not know.
  std::vector<const detail::Shape*> shapes;

  auto operator<=>(const Place&) const = default;
};

/// The line that an instruction was written on, if it knows.
template <class I>
std::uint_least32_t line_of(const I& instruction) {
  if constexpr (requires { instruction.where.line; }) {
    return instruction.where.line;
  } else {
    return 0;
  }
}

/// Where a process stands that has not finished.
template <class P>
Place place_of(const P& process) {
  Place place;
  process.pending([&](const auto& instruction) { place.line = line_of(instruction); });
  process.place([&](const detail::Shape* shape) { place.shapes.push_back(shape); });
  return place;
}

}  // namespace antiphon
