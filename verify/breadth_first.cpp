#include <algorithm>

#include "verify/search.hpp"

namespace antiphon::verify {

void BreadthFirst::search() {
  see(space_.first().fingerprint);
  origins_.push_back({0, 0, nullptr});
  waiting_.push_back({space_.first(), 0});
  while (!waiting_.empty() && !done()) {
    const auto [state, number] = waiting_.front();
    waiting_.pop_front();
    expand(state, number);
  }
  result_.frontier = waiting_.size();
}

void BreadthFirst::expand(const State& state, std::uint32_t number) {
  position_.move_to(state);
  outcomes_.clear();
  Independence::Choice choice = independence_.choose(position_, outcomes_);
  if (choice.at_rest && !space_.overflowed()) {
    ++result_.rests;
    const auto breaches = space_.breaches_at_rest(state);
    if (discoveries_.has_new(breaches)) discoveries_.add(breaches, true, way_to(number));
  }
  bool leads_on = false;
  for (std::size_t at = 0; at < choice.needed && !done(); ++at) {
    const Outcome& outcome = *outcomes_[at];
    ++result_.transitions;
    if (discoveries_.has_new(outcome.breaches)) {
      auto path = way_to(number);
      path.push_back(taken_of(outcome));
      discoveries_.add(outcome.breaches, false, path);
    }
    const Fingerprints::Place place = see(state.fingerprint + outcome.difference);
    leads_on |= place.number > number;  // its turn is still to come
    if (place.is_new) {
      const std::uint32_t depth = origins_[number].depth + 1;
      result_.deepest = std::max<std::uint64_t>(result_.deepest, depth);
      waiting_.push_back({StateSpace::after(state, outcome), place.number});
      origins_.push_back({number, depth, &outcome});
    }
    if (at + 1 == choice.needed && !leads_on) choice.needed = outcomes_.size();
  }
}

std::vector<Taken> BreadthFirst::way_to(std::uint32_t number) const {
  std::vector<Taken> path;
  for (; origins_[number].outcome != nullptr; number = origins_[number].state) {
    path.push_back(taken_of(*origins_[number].outcome));
  }
  std::ranges::reverse(path);
  return path;
}

std::uint64_t BreadthFirst::held_bytes() const {
  return waiting_.size() * sizeof(Waiting) + origins_.size() * sizeof(Origin);
}

std::string BreadthFirst::progress() const { return std::to_string(waiting_.size()) + " waiting"; }

}  // namespace antiphon::verify
