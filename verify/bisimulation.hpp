#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "verify/transition_system.hpp"

/// Which nodes of a transition system can be told apart from outside, where silent edges do not show: weak
/// bisimulation, inclusion of traces, and what tells two nodes apart.
///
/// None of it is sensitive to divergence: a node that may go on silently for ever is not told from one that rests.
///
/// References: R. Milner, "Communication and Concurrency" (1989); S. Blom and S. Orzan, "A distributed algorithm for
/// strong bisimulation reduction of state spaces" (2002), for signatures; M. De Wulf et al., "Antichains: a new
/// algorithm for checking universality of finite automata" (2006).

namespace antiphon::verify {

/// It would have taken more memory than was allowed.
struct MemoryFull {};

/// The classes of weak bisimulation.
struct WeakClasses {
  std::vector<Node> of;       ///< By node: its class.
  TransitionSystem quotient;  ///< Its nodes are the classes: each is weakly bisimilar to its members.
  /// By round, by class: its block. Nodes are in one block of round k if k moves in turn do not tell them apart.
  std::vector<std::vector<Node>> rounds;
};

std::expected<WeakClasses, MemoryFull> weak_classes(const TransitionSystem& system, std::uint64_t most_bytes);

using Labels = std::vector<Label>;

/// The shortest trace of `first` that `second` does not have; none if it has them all. (It is found soonest in a
/// quotient, where equal nodes are one.)
std::expected<std::optional<Labels>, MemoryFull> missing_trace(const TransitionSystem& system, Node first, Node second,
                                                               std::uint64_t most_bytes);

/// What tells two nodes apart that are not weakly bisimilar. After the trace, one may be where `then` can follow, and
/// the other cannot avoid that it may be where it cannot: one of them makes a move, silent or not, the other answers
/// with one that looks the same, and whatever it answers, this comes of it in the end. The answers here are those that
/// hold out longest.
struct Experiment {
  Labels trace;
  Label then = silent;
  bool first_can = false;  ///< Who can do `then`.
  Node here = 0;           ///< The class in which the first is after the trace.
  Node there = 0;          ///< The same of the second.
};

/// For two classes that differ.
Experiment experiment(const WeakClasses& classes, Node first, Node second);

}  // namespace antiphon::verify
