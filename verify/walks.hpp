#pragma once

#include "verify/explorer.hpp"

/// Walks: runs drawn at random through the states of a scope, for when there are too many to see them all.
///
/// `Order::random` draws who goes on, step by step. `Order::pct` draws priorities, and at `depth - 1` steps, drawn too,
/// whoever would go on becomes the last: a defect that takes `depth` steps in a certain order is met by each walk with
/// a probability of at least 1 / (n k^(depth - 1)), for n actors and the k steps of the longest walk so far. How much
/// is read, written or arrives is drawn in both: the bound is for defects that do not hang on it. With faults, stops or
/// resets, which come when they like, there is none.
///
/// `Order::guided` draws as `random` does, but most walks begin like one that brought a process into a state in which
/// no walk had seen it, up to there or to a step before. So what takes many rare steps in a row is come by one step
/// after the other.
///
/// Each walk has its own half of the errors, so that common ones do not keep rare ones from what lies behind them, and
/// its own rate of adversity.
///
/// References: S. Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs" (2010);
/// A. Groce et al., "Swarm Testing" (2012). Keeping what met something new is how coverage-guided fuzzers work.

namespace antiphon::verify {

/// As many walks as the options say. What they find is a violation; that they find none is no proof.
Exploration walks(const Server& server, const Scope& scope, const ExploreOptions& options);

}  // namespace antiphon::verify
