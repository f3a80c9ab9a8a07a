#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/place.hpp"
#include "core/programs/server.hpp"

/// A program as a finite graph: one node for each place in its text that issues an instruction, one
/// branch for each class of response. Loops are branches that lead back.

namespace antiphon {

/// Where a branch leads when it leads to no further instruction.
enum class End : std::uint8_t {
  ok,            ///< The program ends with a success.
  error,         ///< The program ends with an error.
  not_followed,  ///< There were more places than `GraphLimits::most_points`.
};

struct ProgramGraph {
  /// A place in `nodes`, or an end.
  using Target = std::variant<std::size_t, End>;

  /// A member of an instruction and all that was seen to stand there, sorted. What the program was
  /// given stands as a symbol: `client₁`, `rest of message₁`.
  struct Operand {
    std::string name;
    std::vector<std::string> values;

    bool operator==(const Operand&) const = default;
  };

  /// A class of responses that lead to one target.
  struct Branch {
    std::string label;                   ///< For people: "EINTR, EPROTO", "any other error".
    std::vector<std::string> responses;  ///< Each response of the class by itself.
    Target target;
    bool sometimes;  ///< The class has another branch too: what the program carries decides.

    bool operator==(const Branch&) const = default;
  };

  struct Node {
    std::string instruction;
    std::uint_least32_t line;  ///< Of the source; 0 where it is not known.
    std::string gives;         ///< The symbol of what the instruction is answered with, or "".
    std::vector<Operand> operands;
    std::vector<Branch> branches;
    std::size_t states;     ///< In how many states the program was seen here.
    bool more_states;       ///< There are states that were not followed.
    bool looks_at_content;  ///< What follows here may depend on the content of a message.

    bool operator==(const Node&) const = default;
  };

  Target start;
  std::vector<Node> nodes;  ///< In the order of a walk that goes down each branch in turn.

  /// Why the graph may lack a branch, a sentence each; none when it is complete.
  [[nodiscard]] std::vector<std::string> remarks() const;

  bool operator==(const ProgramGraph&) const = default;
};

/// How far a walk goes. The data that a program carries may grow for ever; its text does not.
struct GraphLimits {
  std::size_t most_states_of_a_point = 65536;
  std::size_t most_points = 4096;
};

/// Walks the program: in each state at each point it is fed every response that can come, errors one
/// by one. States that are equal (see `Identified`) are visited once.
///
/// Complete for a program that does not look into messages and has no more states than the limits
/// grant; `remarks` tells when one of the two does not hold. Throws std::bad_alloc.
ProgramGraph graph_of(const Server& program, const GraphLimits& limits = {});

/// What a tool needs that changes a program at a node of its graph (see core/rewrite.hpp). Of this run only.
struct Site {
  /// A socket that the process holds there, by the name that every interpreter gives it.
  struct Held {
    Socket socket;
    std::size_t node;  ///< What gave it.
  };

  Place place;
  std::vector<Held> held;
  Socket next;  ///< The name that a socket gets which is given here.
};

struct SitedGraph {
  ProgramGraph graph;
  std::vector<Site> sites;  ///< Of each node.
};

SitedGraph sited_graph_of(const Server& program, const GraphLimits& limits = {});

}  // namespace antiphon
