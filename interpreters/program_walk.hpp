#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/place.hpp"
#include "core/process.hpp"
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

/// What the names of a process stand for: the point that gave each, by its number. A free number has none.
using SocketNames = std::vector<std::optional<std::size_t>>;

/// A place in the program's text, and what was seen there. Targets are places in `Walk::points`.
struct Point {
  std::string_view instruction;
  Place place;
  SocketNames names;  ///< In the first state that was seen.
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
  std::map<Place, std::size_t> places;  ///< Of each point.
};

/// A graph, and where a process at a place, and what it is answered, are in it.
struct MappedGraph {
  ProgramGraph graph;
  std::map<Place, std::size_t> nodes;
  /// Of each branch of each node, in the order of `Branch::responses`.
  std::vector<std::vector<std::vector<ResponseClass>>> classes;
};

/// See `graph_of`.
MappedGraph mapped_graph_of(const Server& program, const GraphLimits& limits = {});

/// The class of a response. An error is its own class, whether or not the walk knows it.
template <Instruction I>
ResponseClass class_of(const I& issued, const typename I::Response& response) {
  if (!response) return response.error();
  if constexpr (std::same_as<I, Recv>) {
    if (response->empty()) return Success::end_of_input;
    return response->size() < issued.at_most ? Success::short_message : Success::full_message;
  } else if constexpr (std::same_as<I, Send>) {
    return *response < issued.bytes.size() ? Success::part_sent : Success::all_sent;
  } else if constexpr (std::same_as<I, Fork>) {
    return std::holds_alternative<Child>(*response) ? Success::child : Success::parent;
  } else if constexpr (std::same_as<typename I::Response, Result<Socket>>) {
    return Success::given;
  } else {
    return Success::done;
  }
}

/// "1500 ms", "60 s".
std::string duration(std::int64_t wait_ms);

Walk walk(const Server& program, const GraphLimits& limits);

}  // namespace antiphon
