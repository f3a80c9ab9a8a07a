#include <algorithm>
#include <ranges>
#include <span>

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
  actors_.push_back(actors_here());
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
  if (place.is_new || open_[place.number]) edges_.push_back({top.number, place.number, &outcome});
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
  if (is_complete) complete(left.number);
  way_.pop_back();
  outcomes_.resize(left.first);
  if (way_.empty()) return;
  position_.back();
  Frame& before = way_.back();
  if (!is_complete) before.lowest = std::min(before.lowest, left.lowest);
  before.leads_out |= is_complete || left.leads_out;
}

void DepthFirst::complete(std::uint32_t first) {
  if (!edges_.empty() && edges_.back().from >= first) judge_circles();
  while (!edges_.empty() && edges_.back().from >= first) edges_.pop_back();
  while (!component_.empty() && component_.back() >= first) {
    open_[component_.back()] = false;
    component_.pop_back();
    actors_.pop_back();
  }
  if (!edges_.empty() && edges_.back().to == first) edges_.pop_back();  // it led into another component
}

/// Of the component whose first state is the top of the way.
void DepthFirst::judge_circles() {
  const std::uint32_t first = way_.back().number;
  const auto begin = std::ranges::lower_bound(component_, first) - component_.begin();
  const auto edge =
      std::ranges::find_if(edges_ | std::views::reverse, [&](const Component::Edge& one) { return one.from < first; });
  const Component component{std::span(component_).subspan(static_cast<std::size_t>(begin)),
                            std::span(actors_).subspan(static_cast<std::size_t>(begin)),
                            std::span(edge.base(), edges_.end())};
  const auto is_round = [](const Component::Edge& one) { return is_ordinary(one.outcome->move); };
  if (std::ranges::none_of(component.edges, is_round)) return;  // most states lead to themselves by faults alone
  const Circles circles(component);
  if (!circles.any()) return;
  met_circle_ = true;
  undecided_ |= position_.actor_count() > Component::most_actors;
  for (Index client = 0; client < space_.client_count(); ++client) {
    const world::Client* const one = space_.client(client, position_.state());
    if (one == nullptr || one->done || !one->asked) continue;
    const Circles::Found found = circles.without(client);
    undecided_ |= found.undecided;
    for (const Circle& circle : found.fair) judge(circle);
  }
}

void DepthFirst::judge(const Circle& circle) {
  for (const Outcome* const outcome : circle.stem) position_.take(*outcome);
  std::vector<Breach> lasting = space_.breaches_while_endless(position_.state());
  for (const Outcome* const outcome : circle.lap) {
    position_.take(*outcome);
    const std::vector<Breach> here = space_.breaches_while_endless(position_.state());
    keep_lasting(lasting, here);
  }
  for (std::size_t step = 0; step < circle.stem.size() + circle.lap.size(); ++step) position_.back();
  if (!discoveries_.has_new(lasting)) return;
  std::vector<Taken> path = way_here();
  append(path, circle.stem);
  std::vector<Taken> lap;
  append(lap, circle.lap);
  discoveries_.add(lasting, false, path, lap);
}

Component::Actors DepthFirst::actors_here() const {
  Component::Actors actors{0, 0};
  const std::size_t count = std::min(position_.actor_count(), Component::most_actors);
  for (std::size_t actor = 0; actor < count; ++actor) {
    const Prospect* const prospect = position_.prospect(actor);
    if (prospect == nullptr) continue;
    if (prospect->ordinary > 0) actors.able |= Component::Able{1} << actor;
    if (!prospect->ways_out.empty()) actors.pending |= Component::Able{1} << actor;
  }
  return actors;
}

/// The steps that led to the top of the way, and one more.
std::vector<Taken> DepthFirst::way_here(const Outcome& last) const {
  std::vector<Taken> path = way_here();
  path.push_back(taken_of(last));
  return path;
}

std::vector<Taken> DepthFirst::way_here() const {
  std::vector<Taken> path;
  for (std::size_t index = 0; index + 1 < way_.size(); ++index) {
    path.push_back(taken_of(*outcomes_[way_[index].next - 1]));
  }
  return path;
}

/// Where the reduced search met no circle there is none: a run is as long as the one in the order that was kept.
EndlessRuns DepthFirst::endless() const {
  if (!met_circle_) return EndlessRuns::none;
  return options_.reductions.partial_order || undecided_ ? EndlessRuns::in_part : EndlessRuns::judged;
}

std::uint64_t DepthFirst::held_bytes() const {
  return way_.size() * sizeof(Frame) + outcomes_.size() * sizeof(const Outcome*) + position_.bytes() +
         component_.size() * (sizeof(component_.front()) + sizeof(Component::Actors)) +
         edges_.size() * sizeof(edges_.front()) + open_.size() / 8;
}

/// As if what hangs on each outcome of a state were the same.
double DepthFirst::share_done() const {
  double done = 0;
  double share = 1;
  for (const Frame& frame : way_) {
    const auto outcomes = static_cast<double>(std::max<std::size_t>(frame.needed - frame.first, 1));
    const auto behind = static_cast<double>(frame.next > frame.first ? frame.next - frame.first - 1 : 0);
    done += share * behind / outcomes;
    share /= outcomes;
  }
  return done;
}

std::string DepthFirst::progress() const { return "depth " + std::to_string(way_.size()); }

}  // namespace antiphon::verify
