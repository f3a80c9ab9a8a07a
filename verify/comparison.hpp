#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/programs/server.hpp"
#include "verify/judge.hpp"
#include "verify/scope.hpp"
#include "verify/way.hpp"

/// Comparison: whether two servers look the same from outside (verify/observation.hpp) in every run of a scope.

namespace antiphon::verify {

struct CompareOptions {
  /// Bytes, for both graphs, and for each of the steps that compare them.
  std::uint64_t most_memory = std::uint64_t{2} << 30U;
  /// Clients with the same script connect in turn.
  bool symmetry = true;
  /// Called now and then with what is being done.
  std::function<void(const std::string&)> progress = [](const std::string&) {};
};

/// What was explored of one server.
struct ComparedSide {
  std::uint64_t states = 0;
  std::uint64_t silent = 0;   ///< Transitions of which nothing shows.
  std::uint64_t visible = 0;  ///< The others.
  std::uint64_t rests = 0;    ///< States in which nothing more can happen.
};

/// A run, and what shows of it, step by step.
struct Shown {
  std::vector<std::string> trace;
  std::vector<Taken> path;
};

/// What tells servers apart that have the same traces (`Experiment` in verify/bisimulation.hpp).
struct Distinction {
  std::vector<std::string> trace;
  std::string then;
  std::size_t who_can = 0;    ///< The side that may do it after the trace.
  std::vector<Taken> can;     ///< A run of that side with the trace, and then that.
  std::vector<Taken> cannot;  ///< A run of the other with the trace, after which it cannot.
};

struct Comparison {
  /// Holds: weakly bisimilar. Violated: they differ.
  Ruling ruling = Ruling::incomplete;
  std::array<ComparedSide, 2> sides;
  std::uint64_t classes = 0;  ///< Of weak bisimulation, of both servers' states together.
  /// By side: the shortest trace that it has and the other does not.
  std::array<std::optional<Shown>, 2> only;
  std::optional<Distinction> distinction;  ///< They have the same traces and differ all the same.
  double missed = 0;                       ///< The probability that two states have one fingerprint, at most.
  std::vector<std::string> remarks;        ///< Why it is incomplete.
};

Comparison compare(const Server& a, const Server& b, const Scope& scope, const CompareOptions& options);

}  // namespace antiphon::verify
