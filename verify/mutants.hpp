#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/programs/server.hpp"
#include "interpreters/program_graph.hpp"

/// Mutants: a server with one thing done wrong at one node of its graph. Whoever checks servers should tell each from
/// the original; a mutant that nobody can tell is either no different to the world, or shows what is not checked.

namespace antiphon::verify {

enum class MutantKind : std::uint8_t {
  drop,              ///< Never issued; a success is made up.
  duplicate,         ///< Issued twice; goes on with the first response or the last.
  retarget,          ///< Issued on another socket that the process holds there.
  swap,              ///< Issued after the instruction that follows it, whatever the response.
  ignore_error,      ///< Any error is taken for a success.
  error_as_success,  ///< The errors of one branch are taken for a success.
  success_as_error,  ///< A success is taken for an error of one branch.
  off_by_one,        ///< A length, one more or one less.
};

inline constexpr std::string_view mutant_kind_names[] = {
    "drop", "duplicate", "retarget", "swap", "ignore-error", "error-as-success", "success-as-error", "off-by-one"};

struct Mutant {
  MutantKind kind = MutantKind::drop;
  std::size_t node = 0;  ///< As `echo-dump` counts them: from 1.
  std::string instruction;
  std::uint_least32_t line = 0;
  std::string text;  ///< What it does: "is not issued, as if it was answered ok".
  Server server;
  /// The original in a form whose text can be held against the mutant's; none: the original as it is.
  std::optional<Server> original;
};

/// "#7 Recv line 43: drop: is not issued, as if it was answered end of input". The same in every run and build.
std::string name_of(const Mutant& mutant);

/// All mutants of a server, node by node, each of them once. Throws std::bad_alloc.
std::vector<Mutant> mutants_of(const Server& server, const GraphLimits& limits = {});

}  // namespace antiphon::verify
