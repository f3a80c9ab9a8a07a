#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/programs/server.hpp"
#include "interpreters/program_graph.hpp"

/// What a walk through a program sees, before it is put in words: see interpreters/program_graph.hpp.

namespace antiphon {

/// What an instruction is answered with when it does not fail.
enum class Success : std::uint8_t {
  done,
  given,  ///< A socket with a fresh name.
  parent,
  child,
  short_message,  ///< One byte.
  full_message,   ///< As many bytes as were asked for.
  end_of_input,
  all_sent,
  part_sent,  ///< All but one byte.
};

using ResponseClass = std::variant<Success, Errno>;

/// What the program was given at a point, or a slice of it.
struct Symbol {
  enum class Part : std::uint8_t { whole, front, middle, rest };
  std::size_t point;
  Part part;

  auto operator<=>(const Symbol&) const = default;
};

/// What can stand at an operand: what was given, a number, or any other value as text.
using SeenValue = std::variant<Symbol, std::int64_t, std::string>;

/// A place in the program's text, and what was seen there. Targets are places in `Walk::points`.
struct Point {
  std::string_view instruction;
  std::uint_least32_t line;
  std::vector<std::pair<std::string_view, std::set<SeenValue>>> operands;
  std::map<ResponseClass, std::set<ProgramGraph::Target>> targets;
  std::size_t states = 0;
  bool more_states = false;
  bool looks_at_content = false;
};

/// The points in the order in which they were found, the same for every compiler and run.
struct Walk {
  ProgramGraph::Target start;
  std::vector<Point> points;
};

/// "1500 ms", "60 s".
std::string duration(std::int64_t wait_ms);

Walk walk(const Server& program, const GraphLimits& limits);

}  // namespace antiphon
