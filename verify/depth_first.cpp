#include <algorithm>

#include "verify/search.hpp"

namespace antiphon::verify {

void DepthFirst::search() {
  enter(see(space_.first().fingerprint).number);
  while (!way_.empty() && !done()) {
    Frame& top = way_.back();
    const bool is_first_of_trap = top.lowest == top.number && !top.leads_out;
    if (top.next < top.needed) {
      follow(top);
    } else if (is_first_of_trap && top.next < top.end) {
      top.needed = top.end;
    } else {
      leave();
    }
  }
  result_.frontier = way_.size();
}

void DepthFirst::enter(std::uint32_t number) {
  const std::size_t first = outcomes_.size();
  const Independence::Choice choice = independence_.choose(position_, outcomes_);
  way_.push_back({number, number, first, first, first + choice.needed, outcomes_.size(), false});
  if (open_.size() <= number) open_.resize(std::max<std::size_t>(number + 1, 2 * open_.size()));
  open_[number] = true;
  component_.push_back(number);
  result_.deepest = std::max<std::uint64_t>(result_.deepest, way_.size() - 1);
  for (std::size_t at = first; at < first + choice.needed; ++at) {
    seen_.prefetch(position_.state().fingerprint + outcomes_[at]->difference);
  }
  if (!choice.at_rest || space_.overflowed()) return;
  ++result_.rests;
  const auto breaches = space_.breaches_at_rest(position_.state());
  if (discoveries_.has_new(breaches)) discoveries_.add(breaches, true, way_here());
}

void DepthFirst::follow(Frame& top) {
  const Outcome& outcome = *outcomes_[top.next++];
  ++result_.transitions;
  if (discoveries_.has_new(outcome.breaches)) discoveries_.add(outcome.breaches, false, way_here(outcome));
  const Fingerprints::Place place = see(position_.state().fingerprint + outcome.difference);
  if (place.is_new) {
    position_.take(outcome);
    enter(place.number);
  } else if (open_[place.number]) {
    top.lowest = std::min(top.lowest, place.number);
  } else {
    top.leads_out = true;
  }
}

void DepthFirst::leave() {
  const Frame left = way_.back();
  const bool is_complete = left.lowest == left.number;
  if (is_complete) {
    while (!component_.empty() && component_.back() >= left.number) {
      open_[component_.back()] = false;
      component_.pop_back();
    }
  }
  way_.pop_back();
  outcomes_.resize(left.first);
  if (way_.empty()) return;
  position_.back();
  Frame& before = way_.back();
  if (!is_complete) before.lowest = std::min(before.lowest, left.lowest);
  before.leads_out |= is_complete || left.leads_out;
}

/// The steps that led to the top of the way, and one more.
std::vector<Taken> DepthFirst::way_here(const Outcome& last) const {
  std::vector<Taken> path = way_here();
  path.push_back({last.move, last.shortfalls});
  return path;
}

std::vector<Taken> DepthFirst::way_here() const {
  std::vector<Taken> path;
  for (std::size_t index = 0; index + 1 < way_.size(); ++index) {
    const Outcome& taken = *outcomes_[way_[index].next - 1];
    path.push_back({taken.move, taken.shortfalls});
  }
  return path;
}

std::uint64_t DepthFirst::held_bytes() const {
  return way_.size() * sizeof(Frame) + outcomes_.size() * sizeof(outcomes_.front()) + position_.bytes() +
         component_.size() * sizeof(component_.front()) + open_.size() / 8;
}

std::string DepthFirst::progress() const { return "depth " + std::to_string(way_.size()); }

}  // namespace antiphon::verify
