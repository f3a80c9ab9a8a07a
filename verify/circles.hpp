#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "verify/state_space.hpp"

/// Liveness: circles of states in which a client gets nothing, though nobody is kept from going on. A run may go round
/// in one for ever.
///
/// A circle is fair if whoever can go on in all its states does go on in it (weak fairness; deadlines that are pending
/// can pass), and takes no adversity, of which there is never without end. A client that waits to be told something and
/// is in a fair circle told nothing waits for ever.

namespace antiphon::verify {

/// A strongly connected component of what was searched.
struct Component {
  struct Edge {
    std::uint32_t from;
    std::uint32_t to;
    const Outcome* outcome;
  };
  /// Actors that can go on in a state, by their numbers; those from this number on do not count.
  static constexpr std::size_t most_actors = 64;
  using Able = std::uint64_t;
  struct Actors {
    Able able;     ///< They can go on.
    Able pending;  ///< They can, once a deadline passes.
  };

  std::span<const std::uint32_t> states;  ///< Their numbers, growing.
  std::span<const Actors> actors;         ///< Of each of the states.
  std::span<const Edge> edges;            ///< Those that lead out of it count for nothing.
};

struct Circle {
  std::vector<const Outcome*> stem;  ///< From the component's first state to the circle.
  std::vector<const Outcome*> lap;
};

/// The circles of a component, which must live as long.
class Circles {
 public:
  explicit Circles(const Component& component);
  ~Circles();
  Circles(const Circles&) = delete;
  Circles& operator=(const Circles&) = delete;

  /// Whether there is any without adversity.
  [[nodiscard]] bool any() const;

  struct Found {
    std::vector<Circle> fair;
    /// There are some that a deadline may end, which was not tried there, since others could go on.
    bool undecided = false;
  };
  /// Fair circles in which the client (its place in the scenario) is told nothing, one of each part of the component
  /// that has some.
  [[nodiscard]] Found without(std::uint32_t client) const;

  class Graph;

 private:
  const Component& component_;
  std::unique_ptr<Graph> graph_;
};

}  // namespace antiphon::verify
