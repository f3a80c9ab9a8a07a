#include "verify/position.hpp"

namespace antiphon::verify {

Position::Position(StateSpace& space) : space_(space), state_(space.first()) { look(Slots().set(), ~std::uint64_t{0}); }

void Position::take(const Outcome& outcome) {
  steps_.push_back({&outcome, parts_before_.size(), prospects_before_.size()});
  for (const Outcome::Change& change : outcome.changes) {
    parts_before_.push_back(std::exchange(state_.parts[change.slot], change.part));
  }
  state_.fingerprint += outcome.difference;
  look(outcome.changed, outcome.kinds);
}

void Position::back() {
  const Step last = steps_.back();
  steps_.pop_back();
  for (; prospects_before_.size() > last.prospects; prospects_before_.pop_back()) {
    const auto& [actor, prospect] = prospects_before_.back();
    prospects_[actor] = prospect;
  }
  for (std::size_t change = 0; change < last.outcome->changes.size(); ++change) {
    state_.parts[last.outcome->changes[change].slot] = parts_before_[last.parts + change];
  }
  parts_before_.resize(last.parts);
  state_.fingerprint -= last.outcome->difference;
}

void Position::move_to(const State& state) {
  steps_.clear();
  parts_before_.clear();
  Slots changed;
  std::uint64_t kinds = 0;
  for (Slot slot = 0; slot < space_.slot_count(); ++slot) {
    if (state_.parts[slot] == state.parts[slot]) continue;
    changed.set(slot);
    kinds |= space_.kinds_of(slot);
  }
  state_ = state;
  look(changed, kinds);
  prospects_before_.clear();
}

/// Looks up again what depends on what has changed: nothing else can have another outcome.
void Position::look(const Slots& changed, std::uint64_t kinds) {
  for (std::size_t actor = 0; actor < space_.actor_count(); ++actor) {  // (what is looked up may bring more)
    if (actor == prospects_.size()) prospects_.push_back(nullptr);
    const Prospect* const before = prospects_[actor];
    const bool is_affected = before == nullptr
                                 ? changed.test(space_.own_slot(actor))
                                 : (before->touches & changed).any() || (before->whole_kinds & kinds) != 0;
    if (!is_affected) continue;
    const Prospect* const now = space_.prospect(actor, state_);
    if (now == before) continue;
    prospects_before_.emplace_back(actor, before);
    prospects_[actor] = now;
  }
}

std::size_t Position::bytes() const {
  return steps_.size() * sizeof(Step) + parts_before_.size() * sizeof(PartId) +
         prospects_before_.size() * sizeof(prospects_before_.front());
}

}  // namespace antiphon::verify
