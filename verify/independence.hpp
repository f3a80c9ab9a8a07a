#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "verify/position.hpp"
#include "verify/state_space.hpp"

/// Which of the things that can happen in a state have to be tried in it: a persistent set, found by closing a set of
/// actors. Whoever may ever reach what a member's next step touches becomes a member too, whether it can do something
/// now or not.
///
/// Who may reach what follows from what they hold: a process reaches the connections and listeners that it has names
/// for, and as an acceptor all that waits to be accepted; a client its connection, or a listener while it has none. So
/// connections that are served by processes of their own cost a sum, not a product. The witnesses of contracts are
/// parts like any other, so what moves a witness is as visible as what it moves.
///
/// What was left out must not be left out for ever; that is for the searches to see to (verify/search.hpp,
/// verify/crew.hpp).
///
/// References: P. Godefroid, "Partial-Order Methods for the Verification of Concurrent Systems" (1996); A. Valmari,
/// "Stubborn sets for reduced state space generation" (1991).

namespace antiphon::verify {

/// Symmetry: whether the client has done nothing yet, and one before it has neither and would do the same. Then it may
/// as well wait until that one has begun.
bool has_twin_before(const StateSpace& space, const Scope& scope, Index client, const State& state);

class Independence {
 public:
  Independence(StateSpace& space, const Scope& scope, const Reductions& reductions);

  struct Choice {
    std::size_t needed = 0;  ///< The first so many outcomes will do, unless they lead round a circle.
    bool at_rest = false;    ///< Nothing but a fault or a stop goes on from here.
  };
  /// Appends all outcomes in the state; ways out only where it is at rest.
  Choice choose(const Position& position, std::vector<const Outcome*>& outcomes);

  /// Of a state on the way to where a search begins: who accepts.
  void note_acceptors(const Position& position);

  /// Why what was left out so far may have mattered, or "". Then all is to be done again without partial orders.
  [[nodiscard]] const std::string& mistake() const { return mistake_; }

 private:
  /// An actor that is there, and what it has to do with the parts of the state.
  struct Present {
    Actor who{};
    const Prospect* prospect = nullptr;
    std::size_t outcomes = 0;  ///< Those that count.
    std::size_t ordinary = 0;
    std::uint64_t turn = 0;
    Slots touches;  ///< Its next step.
    Slots changes;
    Slots reaches;  ///< Any step that it, or a process that it makes, may ever take.
    Slots reads;    ///< The same, and what it never changes.
  };

  /// The parts of one kind of subject, by the subject's number.
  class ByIndex {
   public:
    void add(Index index, Slot slot) {
      if (index >= slots_.size()) slots_.resize(std::size_t{index} + 1);
      slots_[index].set(slot);
    }
    [[nodiscard]] Slots of(Index index) const { return index < slots_.size() ? slots_[index] : Slots{}; }

   private:
    std::vector<Slots> slots_;
  };

  void find_present(const Position& position);
  [[nodiscard]] bool waits_for_twin(std::size_t actor, const State& state) const;
  void find_smallest_set(const State& state);
  void learn_places();
  void look_around(const State& state);
  void find_slots(Present& one, const State& state);
  [[nodiscard]] Slots reach_of_client(Index client, const State& state) const;
  [[nodiscard]] Slots reach_of_process(Index process, const State& state) const;
  [[nodiscard]] std::uint64_t turn_of(const Actor& who, const State& state) const;
  void check(const Present& one, const State& state);
  bool close_over(std::size_t first, std::uint64_t latest);

  StateSpace& space_;
  const Scope& scope_;
  const Reductions& reductions_;
  std::string mistake_;

  // By what they are about; learned as parts come up.
  Slot places_known_ = 0;
  ByIndex connections_;
  ByIndex held_;  ///< Names and records of connections.
  ByIndex clients_;
  ByIndex acceptances_;
  ByIndex processes_;
  ByIndex kinships_;
  Slots time_;
  Slots listeners_;
  Slots listener_names_;
  std::set<Index> accepting_;  ///< Processes that were seen at an Accept.
  Slots door_of_clients_;
  Slots door_of_processes_;
  Slots faults_;

  // Of the state.
  std::vector<Present> present_;
  std::vector<Index> waiting_;  ///< Connections that nobody has accepted yet.
  std::vector<Index> coming_;   ///< Clients that have no connection yet.
  std::size_t acceptors_ = 0;
  bool queue_has_room_ = false;  ///< For all.
  std::vector<bool> best_;       ///< Who goes on, by the places in `present_`; none: all.
  std::vector<bool> inside_;
  std::vector<std::size_t> members_;
};

}  // namespace antiphon::verify
