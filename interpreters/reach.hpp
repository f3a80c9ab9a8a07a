#pragma once

#include <set>
#include <string>
#include <string_view>

#include "core/effects.hpp"
#include "core/instructions.hpp"
#include "core/programs/server.hpp"
#include "interpreters/program_graph.hpp"

/// Which instructions a program can still issue, as data: what a sandbox is computed from.

namespace antiphon {

/// Instructions by their names.
using InstructionNames = std::set<std::string_view>;

/// All of an effect set.
template <class Set>
InstructionNames all_of(Set effects) {
  const auto names = names_of(effects);
  return {names.begin(), names.end()};
}

struct Reach {
  InstructionNames anywhere;   ///< From the program's start.
  InstructionNames listening;  ///< Once a Listen was answered with success, in all processes that there are then.
  /// Whether a Fork of `listening` may be told to count children by their clients' addresses.
  bool counts_addresses = false;
  std::string why_not_exact;  ///< Why this is only a bound, the whole effect set; "" if it is exact.

  [[nodiscard]] bool exact() const { return why_not_exact.empty(); }
  bool operator==(const Reach&) const = default;
};

/// Walks the program as `graph_of` does. Where the walk is not complete (the program looks into messages, or has more
/// states than the limits grant), the answer is `bound`: the effect set that the program was written in.
///
/// Sizes are tried by classes, as in the dump: what a program does only after a message of one size between them is
/// not seen.
///
/// `listening` is `anywhere` for a program that can fork before it listens: the processes of an event loop share a
/// thread, and the other one may not have come as far. Throws std::bad_alloc.
Reach reach_of(const Server& program, const InstructionNames& bound = all_of(Net{}), const GraphLimits& limits = {});

}  // namespace antiphon
