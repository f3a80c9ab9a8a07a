#include "verify/bisimulation.hpp"

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <deque>
#include <initializer_list>
#include <map>
#include <ostream>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/rapidcheck.hpp"

namespace antiphon::verify {
namespace {

constexpr std::uint64_t plenty = std::uint64_t{1} << 30U;
constexpr Label a = 1;
constexpr Label b = 2;
constexpr Label c = 3;

struct Drawn {
  Node from;
  Label label;
  Node to;
};

TransitionSystem system_of(Node size, const std::vector<Drawn>& edges) {
  TransitionSystem system;
  for (Node node = 0; node < size; ++node) {
    system.add_node();
    for (const Drawn& edge : edges) {
      if (edge.from == node) system.add_edge({edge.label, edge.to});
    }
  }
  return system;
}

/// Nodes 0 and 1 are the ones in question.
struct Told {
  bool bisimilar;
  std::optional<Labels> only_first;
  std::optional<Labels> only_second;
};

Told told(const TransitionSystem& system, Node first = 0, Node second = 1) {
  const WeakClasses classes = *weak_classes(system, plenty);
  const Node one = classes.of[first];
  const Node other = classes.of[second];
  return {one == other, *missing_trace(classes.quotient, one, other, plenty),
          *missing_trace(classes.quotient, other, one, plenty)};
}

// -- by hand ----------------------------------------------------------------------------------------------------------

TEST(Bisimulation, AChoiceThatIsMadeTooEarly) {
  // a.(b + c) and a.b + a.c
  const TransitionSystem system =
      system_of(8, {{0, a, 2}, {2, b, 7}, {2, c, 7}, {1, a, 3}, {1, a, 4}, {3, b, 7}, {4, c, 7}});
  const Told result = told(system);
  EXPECT_FALSE(result.bisimilar);
  EXPECT_FALSE(result.only_first);
  EXPECT_FALSE(result.only_second);
  const WeakClasses classes = *weak_classes(system, plenty);
  const Experiment found = experiment(classes, classes.of[0], classes.of[1]);
  EXPECT_EQ(found.trace, (Labels{a}));
  EXPECT_TRUE(found.first_can);
  EXPECT_TRUE(found.then == b || found.then == c);
  EXPECT_EQ(found.here, classes.of[2]);
  EXPECT_EQ(found.there, classes.of[found.then == b ? 4 : 3]);
}

TEST(Bisimulation, ASilentStepThatChooses) {
  // a + b, and a + silent.b: who has gone silently cannot do a any more.
  const TransitionSystem system = system_of(4, {{0, a, 3}, {0, b, 3}, {1, a, 3}, {1, silent, 2}, {2, b, 3}});
  const Told result = told(system);
  EXPECT_FALSE(result.bisimilar);
  EXPECT_FALSE(result.only_first);
  EXPECT_FALSE(result.only_second);
  const WeakClasses classes = *weak_classes(system, plenty);
  const Experiment found = experiment(classes, classes.of[0], classes.of[1]);
  EXPECT_EQ(found.trace, Labels());
  EXPECT_EQ(found.then, a);
  EXPECT_TRUE(found.first_can);
}

TEST(Bisimulation, SilentStepsBeforeAndAfterDoNotShow) {
  // a.b, and silent.a.silent.silent.b
  EXPECT_TRUE(
      told(system_of(7, {{0, a, 2}, {2, b, 6}, {1, silent, 3}, {3, a, 4}, {4, silent, 5}, {5, silent, 2}})).bisimilar);
}

TEST(Bisimulation, WeakIsCoarserThanBranching) {
  // R. Milner's third tau law: a.(b + silent.c), and the same + a.c
  const TransitionSystem system = system_of(6, {{0, a, 2}, {1, a, 2}, {1, a, 3}, {2, b, 4}, {2, silent, 3}, {3, c, 4}});
  EXPECT_TRUE(told(system).bisimilar);
}

TEST(Bisimulation, DivergenceDoesNotShow) {
  EXPECT_TRUE(told(system_of(4, {{0, a, 3}, {1, a, 3}, {1, silent, 2}, {2, silent, 1}})).bisimilar);
  EXPECT_TRUE(told(system_of(3, {{1, silent, 1}})).bisimilar);
}

TEST(Bisimulation, TheShortestTraceIsFound) {
  // One goes round with a for ever; the other may also do a.b, or a.a.c.
  const TransitionSystem system = system_of(5, {{0, a, 0}, {1, a, 1}, {1, a, 2}, {2, a, 3}, {3, c, 4}, {2, b, 4}});
  const Told result = told(system);
  EXPECT_FALSE(result.only_first);
  EXPECT_EQ(result.only_second, (Labels{a, b}));
}

TEST(Bisimulation, WhatDoesNotFitIsNoResult) {
  const TransitionSystem system = system_of(3, {{0, a, 0}, {1, a, 1}, {1, a, 2}});
  EXPECT_FALSE(weak_classes(system, 10));
  EXPECT_FALSE(missing_trace(system, 0, 1, 0));
}

// -- against the definitions, word by word ----------------------------------------------------------------------------

constexpr Node most_nodes = 9;
constexpr Label most_labels = 3;
using Set = std::bitset<most_nodes>;

/// Weak steps, by label and node; of `silent`: none or more of them.
using WeakSteps = std::vector<std::vector<Set>>;

Set united(const std::vector<Set>& sets, const Set& nodes) {
  Set all;
  for (Node node = 0; node < most_nodes; ++node) {
    if (nodes.test(node)) all |= sets[node];
  }
  return all;
}

WeakSteps weak_steps(const TransitionSystem& system) {
  WeakSteps steps(most_labels + 1, std::vector<Set>(most_nodes));
  WeakSteps plain = steps;
  for (Node node = 0; node < system.size(); ++node) {
    for (const TransitionSystem::Edge& edge : system.edges(node)) plain[edge.label][node].set(edge.to);
  }
  for (Node node = 0; node < most_nodes; ++node) steps[silent][node].set(node);
  for (Node time = 0; time < most_nodes; ++time) {
    for (Node node = 0; node < most_nodes; ++node) {
      steps[silent][node] |= united(plain[silent], steps[silent][node]);
    }
  }
  for (Label label = 1; label <= most_labels; ++label) {
    for (Node node = 0; node < most_nodes; ++node) {
      steps[label][node] = united(steps[silent], united(plain[label], steps[silent][node]));
    }
  }
  return steps;
}

/// Whether each move of `one` has an answer of `other`.
bool is_answered(const WeakSteps& steps, const std::vector<Set>& related, Node one, Node other) {
  for (const std::vector<Set>& of_label : steps) {
    for (Node to = 0; to < most_nodes; ++to) {
      if (of_label[one].test(to) && (related[to] & of_label[other]).none()) return false;
    }
  }
  return true;
}

/// The largest weak bisimulation: all pairs, less those that are no good, until nothing changes.
std::vector<Set> largest_bisimulation(const WeakSteps& steps) {
  std::vector<Set> related(most_nodes, Set().set());
  for (bool changed = true; changed;) {
    changed = false;
    for (Node one = 0; one < most_nodes; ++one) {
      for (Node other = 0; other < most_nodes; ++other) {
        if (!related[one].test(other)) continue;
        if (is_answered(steps, related, one, other) && is_answered(steps, related, other, one)) continue;
        related[one].reset(other);
        related[other].reset(one);
        changed = true;
      }
    }
  }
  return related;
}

Set after(const WeakSteps& steps, Node node, const Labels& trace) {
  Set nodes = steps[silent][node];
  for (const Label label : trace) nodes = united(steps[label], nodes);
  return nodes;
}

/// How long the shortest trace is that only the first has: every pair of sets, one after the other. 0: there is none.
std::size_t length_of_missing(const WeakSteps& steps, Node first, Node second) {
  using Pair = std::pair<std::string, std::string>;
  std::set<Pair> known;
  std::deque<std::tuple<Set, Set, std::size_t>> waiting{{steps[silent][first], steps[silent][second], 1}};
  while (!waiting.empty()) {
    const auto [mine, others, length] = waiting.front();
    waiting.pop_front();
    for (Label label = 1; label <= most_labels; ++label) {
      const Set here = united(steps[label], mine);
      const Set there = united(steps[label], others);
      if (here.none()) continue;
      if (there.none()) return length;
      if (known.emplace(here.to_string(), there.to_string()).second) waiting.emplace_back(here, there, length + 1);
    }
  }
  return 0;
}

TransitionSystem any_system() {
  const auto below = [](Node bound) { return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<Node>(0, bound)); };
  const Node size = 2 + below(most_nodes - 1);
  std::vector<Drawn> edges(below(3 * size));
  // Half of the steps are silent, and few labels make for few differences.
  for (Drawn& edge : edges) edge = {below(size), below(2) == 0 ? silent : 1 + below(most_labels), below(size)};
  return system_of(size, edges);
}

TEST(Bisimulation, IsTheLargestOne) {
  int alike = 0;
  int different = 0;
  EXPECT_TRUE(holds(
      [&] {
        const TransitionSystem system = any_system();
        const std::vector<Set> related = largest_bisimulation(weak_steps(system));
        const WeakClasses classes = *weak_classes(system, plenty);
        for (Node one = 0; one < system.size(); ++one) {
          for (Node other = 0; other < one; ++other) {
            RC_ASSERT((classes.of[one] == classes.of[other]) == related[one].test(other));
            ++(related[one].test(other) ? alike : different);
          }
        }
      },
      3000));
  EXPECT_GT(alike, 1000);
  EXPECT_GT(different, 1000);
}

/// A class of the quotient is weakly bisimilar to its members: put side by side they have one class.
TEST(Bisimulation, TheQuotientIsEqualToTheSystem) {
  EXPECT_TRUE(holds([] {
    const TransitionSystem system = any_system();
    const WeakClasses classes = *weak_classes(system, plenty);
    TransitionSystem both = system;
    const auto offset = static_cast<Node>(system.size());
    for (Node node = 0; node < classes.quotient.size(); ++node) {
      both.add_node();
      for (const auto& edge : classes.quotient.edges(node)) both.add_edge({edge.label, offset + edge.to});
    }
    const WeakClasses together = *weak_classes(both, plenty);
    for (Node node = 0; node < offset; ++node) {
      RC_ASSERT(together.of[node] == together.of[offset + classes.of[node]]);
    }
    RC_ASSERT(together.quotient.size() == classes.quotient.size());
  }));
}

TEST(Traces, TheShortestThatTheOtherLacks) {
  int missing = 0;
  int included = 0;
  EXPECT_TRUE(holds(
      [&] {
        const TransitionSystem system = any_system();
        const WeakSteps steps = weak_steps(system);
        const WeakClasses classes = *weak_classes(system, plenty);
        const std::size_t length = length_of_missing(steps, 0, 1);
        const auto plain = *missing_trace(system, 0, 1, plenty);
        const auto found = *missing_trace(classes.quotient, classes.of[0], classes.of[1], plenty);
        ++(length > 0 ? missing : included);
        for (const auto& trace : {plain, found}) {
          RC_ASSERT(trace.has_value() == (length > 0));
          if (!trace) continue;
          RC_ASSERT(trace->size() == length);
          RC_ASSERT(after(steps, 0, *trace).any());
          RC_ASSERT(after(steps, 1, *trace).none());
        }
      },
      3000));
  EXPECT_GT(missing, 500);
  EXPECT_GT(included, 500);
}

/// Both may do the trace; after it one may do something, and the other may be where it cannot.
TEST(Experiments, TellApartWhatDiffers) {
  int subtle = 0;
  int longer = 0;
  EXPECT_TRUE(holds(
      [&] {
        const TransitionSystem system = any_system();
        const WeakSteps steps = weak_steps(system);
        const WeakClasses classes = *weak_classes(system, plenty);
        if (classes.of[0] == classes.of[1]) return;
        const Experiment found = experiment(classes, classes.of[0], classes.of[1]);
        const Node who_can = found.first_can ? 0 : 1;
        const Node stuck = found.first_can ? found.there : found.here;
        Labels all = found.trace;
        all.push_back(found.then);
        RC_ASSERT(after(steps, who_can, all).any());
        bool comes_there = false;
        for (Node node = 0; node < system.size(); ++node) {
          if (!after(steps, 1 - who_can, found.trace).test(node) || classes.of[node] != stuck) continue;
          comes_there = true;
          RC_ASSERT(steps[found.then][node].none());
        }
        RC_ASSERT(comes_there);
        if (length_of_missing(steps, 0, 1) + length_of_missing(steps, 1, 0) > 0) return;
        ++subtle;
        if (!found.trace.empty()) ++longer;
      },
      5000));
  EXPECT_GT(subtle, 20);
  EXPECT_GT(longer, 3);
}

}  // namespace
}  // namespace antiphon::verify
