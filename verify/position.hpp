#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "verify/state_space.hpp"

namespace antiphon::verify {

/// Where a search stands: a state, and what each actor can do in it. A step forth or back costs what it changes, not
/// what there is.
class Position {
 public:
  explicit Position(StateSpace& space);

  [[nodiscard]] const State& state() const { return state_; }
  /// The actors that were met so far.
  [[nodiscard]] std::size_t actor_count() const { return prospects_.size(); }
  /// Null if the actor is not there.
  [[nodiscard]] const Prospect* prospect(std::size_t actor) const { return prospects_[actor]; }

  void take(const Outcome& outcome);
  /// Undoes the last step that was taken and not undone.
  void back();
  /// To any state. The steps until now can no longer be undone.
  void move_to(const State& state);

  /// What it takes to go back.
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Step {
    const Outcome* outcome;
    std::size_t parts;      ///< How many were replaced before it.
    std::size_t prospects;  ///< The same.
  };

  void look(const Slots& changed, std::uint64_t kinds);

  StateSpace& space_;
  State state_;
  std::vector<const Prospect*> prospects_;  ///< By actor.
  std::vector<Step> steps_;
  std::vector<PartId> parts_before_;  ///< In the order of the outcomes' changes.
  std::vector<std::pair<std::size_t, const Prospect*>> prospects_before_;
};

}  // namespace antiphon::verify
