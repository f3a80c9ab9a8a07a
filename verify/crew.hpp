#pragma once

#include "verify/explorer.hpp"

namespace antiphon::verify {

/// Exploration by several threads. Each has the program, its state space and a depth-first search of its own; they
/// share the states that were seen, by fingerprint, which is the same in all of them. Who has nothing to do is handed
/// what another put off, as a way from the beginning.
///
/// Whoever was left out must not be left out for ever: a state is finished once one of its outcomes leads to a state
/// that was finished before it, or once everything was tried in it. So from each a chain of states, each finished
/// before the last, ends at one in which all was done. How many states that takes depends on who is faster; what is
/// found does not. Components are not known, so runs without end are not judged.
///
/// `options.fresh` makes the program, in each thread one.
Exploration explore_in_threads(const Scope& scope, const ExploreOptions& options);

}  // namespace antiphon::verify
