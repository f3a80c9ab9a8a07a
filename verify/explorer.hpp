#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/programs/server.hpp"
#include "verify/judge.hpp"
#include "verify/scope.hpp"
#include "verify/way.hpp"

/// Exploration: every interleaving and fault of a scope, each state once; or walks through it.

namespace antiphon::verify {

class StateSpace;

/// Makes the states of a program in a scope, with the contracts that they are held to.
using SpaceMaker = std::function<std::unique_ptr<StateSpace>(const Server&, const Scope&)>;

struct ExploreOptions {
  Order order = Order::depth_first;
  Reductions reductions;
  std::uint64_t most_memory = std::uint64_t{2} << 30U;  ///< Bytes, for states.
  std::size_t most_findings = ~std::size_t{0};  ///< One for each clause that is violated, until there are so many.
  Expectations expectations;
  SpaceMaker space;               ///< See `with_contract`; none: the contracts of the echo server, as expected.
  std::uint32_t threads = 1;      ///< Of `Order::depth_first`: how many search, each with a program of its own,
  std::function<Server()> fresh;  ///< which this makes; a program belongs to one thread.
  std::uint64_t runs = 10'000;    ///< Of walks: how many.
  std::uint64_t seed = 1;         ///< Of walks: where they are drawn from.
  std::uint32_t depth = 3;        ///< Of `Order::pct`: how many steps in a certain order a defect takes; at least 1.
  /// Called now and then with what is being done.
  std::function<void(const std::string&)> progress = [](const std::string&) {};
};

struct Discovery {
  Breach breach;
  bool at_rest = false;  ///< Broken once nothing more could happen.
  std::vector<Taken> path;
  std::vector<Taken> lap;  ///< Broken if these come after the path again and again; none: by the path.
};

/// What is known of runs that never end, once the search has closed.
enum class EndlessRuns : std::uint8_t {
  none,        ///< There are none, but by adversity without end.
  judged,      ///< There are some, and no client waits for ever in any but those that are shown.
  in_part,     ///< The same, of those that the reduced search met.
  not_judged,  ///< Breadth-first searches and walks do not notice them.
};

/// How many states a search may come by, from what fewer clients take: if each client adds as many as the last, and if
/// each multiplies them so.
struct Estimate {
  double least = 0;
  double most = 0;
};

struct Exploration {
  Ruling ruling = Ruling::incomplete;
  bool closed = false;  ///< Every state that can be reached was.
  std::uint64_t states = 0;
  std::uint64_t transitions = 0;
  std::uint64_t rests = 0;    ///< States in which nothing more can happen.
  std::uint64_t deepest = 0;  ///< Steps of the longest way that was followed.
  std::uint64_t frontier = 0;
  std::uint64_t steps_run = 0;  ///< Steps of the program that were run, not looked up.
  std::uint64_t bytes = 0;      ///< Memory for states.
  EndlessRuns endless = EndlessRuns::not_judged;
  std::optional<Estimate> estimate;  ///< From before the search.
  double missed = 0;                 ///< The probability that two states have one fingerprint, at most.
  std::uint64_t walks = 0;
  std::uint64_t cut = 0;  ///< Walks that were still going when they were ended.
  /// Of `Order::pct`: the probability that a further walk meets a defect of that depth, at least; 0: unknown.
  double least_chance = 0;
  std::vector<Discovery> discoveries;
  std::vector<std::string> remarks;  ///< Why it is incomplete.
  std::vector<std::string> notes;    ///< What was done otherwise than asked.
};

Exploration explore(const Server& server, const Scope& scope, const ExploreOptions& options);

/// Before a search; none for walks, for less than three clients, and where already one or two take many states.
std::optional<Estimate> estimate(const Server& server, const Scope& scope, const ExploreOptions& options);

}  // namespace antiphon::verify
