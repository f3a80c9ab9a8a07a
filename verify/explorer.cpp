#include "verify/explorer.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

#include "verify/discoveries.hpp"
#include "verify/echo_contract.hpp"
#include "verify/fingerprints.hpp"
#include "verify/independence.hpp"
#include "verify/walks.hpp"

namespace antiphon::verify {

namespace {

constexpr std::uint64_t progress_every = 1U << 16U;

class Search {
 public:
  Search(const Server& server, const Scope& scope, const ExploreOptions& options)
      : options_(options),
        space_(server, scope.scenario, scope.adversity, echo_server(options.expectations)),
        independence_(space_, scope, options.reductions),
        discoveries_(options.most_findings) {}

  Exploration run() {
    discoveries_.add(space_.breaches_at_first(), false, {});
    if (!done()) {
      if (options_.order == Order::depth_first) {
        depth_first();
      } else {
        breadth_first();
      }
    }
    return std::move(finish());
  }

  [[nodiscard]] const std::string& mistake() const { return independence_.mistake(); }

 private:
  struct Frame {
    State state;
    std::uint32_t number;
    Independence::Choice next;
    std::size_t at;        ///< Of its outcomes.
    std::uint32_t lowest;  ///< The first state of its component that is known so far.
    bool leads_out;        ///< A state of the component leads to one of another.
  };

  [[nodiscard]] bool done() const {
    return !independence_.mistake().empty() || full_ || space_.overflowed() || discoveries_.full();
  }

  Fingerprints::Place see(const State& state) {
    const Fingerprints::Place place = seen_.insert(state.fingerprint);
    if (place.is_new && seen_.size() % progress_every == 0) tell_progress();
    if (place.is_new) full_ |= seen_.bytes_next() + held_bytes() > options_.most_memory;
    return place;
  }

  [[nodiscard]] std::uint64_t held_bytes() const {
    return waiting_.size() * (sizeof(State) + sizeof(std::uint32_t)) + origins_.size() * sizeof(Origin) +
           way_.size() * sizeof(Frame);
  }

  void tell_progress() const {
    options_.progress(std::to_string(seen_.size()) + " states, " + std::to_string(result_.transitions) +
                      " transitions, " +
                      (options_.order == Order::depth_first ? "depth " + std::to_string(way_.size())
                                                            : std::to_string(waiting_.size()) + " waiting"));
  }

  // -- depth first ----------------------------------------------------------------------------------------------

  /// Finds strongly connected components on the way (R. Tarjan, 1972). Where a component has no way out, the search
  /// would go round in it and never come to what it left out: there everything is tried (A. Valmari's condition for
  /// safety).
  void depth_first() {
    enter(space_.first(), see(space_.first()).number);
    while (!way_.empty() && !done()) {
      Frame& top = way_.back();
      if (top.at < top.next.needed) {
        follow(top);
      } else if (is_trapped(top)) {
        top.next.needed = top.next.outcomes.size();
      } else {
        leave();
      }
    }
    result_.frontier = way_.size();
  }

  void follow(Frame& top) {
    const Outcome& outcome = *top.next.outcomes[top.at++];
    ++result_.transitions;
    if (discoveries_.has_new(outcome.breaches)) discoveries_.add(outcome.breaches, false, way_here(outcome));
    const State next = StateSpace::after(top.state, outcome);
    const Fingerprints::Place place = see(next);
    if (place.is_new) {
      enter(next, place.number);
    } else if (open_[place.number]) {
      top.lowest = std::min(top.lowest, place.number);
    } else {
      top.leads_out = true;
    }
  }

  /// The state is the first of a component without a way out, and something was left out.
  static bool is_trapped(const Frame& frame) {
    return frame.lowest == frame.number && !frame.leads_out && frame.at < frame.next.outcomes.size();
  }

  void leave() {
    const Frame& left = way_.back();
    const bool complete = left.lowest == left.number;
    if (complete) {
      while (!component_.empty() && component_.back() >= left.number) {
        open_[component_.back()] = false;
        component_.pop_back();
      }
    }
    if (way_.size() > 1) {
      Frame& before = way_[way_.size() - 2];
      if (!complete) before.lowest = std::min(before.lowest, left.lowest);
      before.leads_out |= complete || left.leads_out;
    }
    way_.pop_back();
  }

  void enter(const State& state, std::uint32_t number) {
    Frame& frame = way_.emplace_back(state, number, independence_.choose(state), 0, number, false);
    open_.resize(seen_.size());
    open_[number] = true;
    component_.push_back(number);
    result_.deepest = std::max<std::uint64_t>(result_.deepest, way_.size() - 1);
    if (frame.next.at_rest && !space_.overflowed()) {
      ++result_.rests;
      const auto breaches = space_.breaches_at_rest(state);
      if (discoveries_.has_new(breaches)) discoveries_.add(breaches, true, way_here());
    }
  }

  /// The steps that led to the top of the way, and one more.
  [[nodiscard]] std::vector<Taken> way_here(const Outcome& last) const {
    std::vector<Taken> path = way_here();
    path.push_back({last.move, last.shortfalls});
    return path;
  }
  [[nodiscard]] std::vector<Taken> way_here() const {
    std::vector<Taken> path;
    for (std::size_t index = 0; index + 1 < way_.size(); ++index) {
      const Outcome& taken = *way_[index].next.outcomes[way_[index].at - 1];
      path.push_back({taken.move, taken.shortfalls});
    }
    return path;
  }

  // -- breadth first --------------------------------------------------------------------------------------------

  /// Where a state was reached from.
  struct Origin {
    std::uint32_t state;
    std::uint32_t depth;
    const Outcome* outcome;
  };

  void breadth_first() {
    see(space_.first());
    origins_.push_back({0, 0, nullptr});
    waiting_.emplace_back(space_.first(), 0);
    while (!waiting_.empty() && !done()) {
      const auto [state, number] = waiting_.front();
      waiting_.pop_front();
      expand(state, number);
    }
    result_.frontier = waiting_.size();
  }

  void expand(const State& state, std::uint32_t number) {
    Independence::Choice next = independence_.choose(state);
    if (next.at_rest && !space_.overflowed()) {
      ++result_.rests;
      const auto breaches = space_.breaches_at_rest(state);
      if (discoveries_.has_new(breaches)) discoveries_.add(breaches, true, way_to(number));
    }
    bool leads_on = false;
    for (std::size_t at = 0; at < next.needed && !done(); ++at) {
      const Outcome& outcome = *next.outcomes[at];
      ++result_.transitions;
      if (discoveries_.has_new(outcome.breaches)) {
        auto path = way_to(number);
        path.push_back({outcome.move, outcome.shortfalls});
        discoveries_.add(outcome.breaches, false, path);
      }
      const State after = StateSpace::after(state, outcome);
      const Fingerprints::Place place = see(after);
      leads_on |= place.number > number;  // its turn is still to come
      if (place.is_new) {
        const std::uint32_t depth = origins_[number].depth + 1;
        result_.deepest = std::max<std::uint64_t>(result_.deepest, depth);
        waiting_.emplace_back(after, static_cast<std::uint32_t>(origins_.size()));
        origins_.push_back({number, depth, &outcome});
      }
      // Whoever was left out must not be left out all the way round a circle.
      if (at + 1 == next.needed && !leads_on) next.needed = next.outcomes.size();
    }
  }

  [[nodiscard]] std::vector<Taken> way_to(std::uint32_t number) const {
    std::vector<Taken> path;
    for (; origins_[number].outcome != nullptr; number = origins_[number].state) {
      path.push_back({origins_[number].outcome->move, origins_[number].outcome->shortfalls});
    }
    std::ranges::reverse(path);
    return path;
  }

  // -- the end --------------------------------------------------------------------------------------------------

  Exploration&& finish() {
    result_.states = seen_.size();
    result_.steps_run = space_.steps_run();
    result_.bytes = seen_.bytes() + held_bytes();
    result_.closed = result_.frontier == 0 && !full_ && !space_.overflowed();
    const auto count = static_cast<double>(seen_.size());
    result_.missed = std::ldexp(count * count, -129);
    if (full_) {
      result_.remarks.push_back("the memory was full; " + std::to_string(result_.frontier) + " states wait");
    }
    add_remarks_on(space_, result_.remarks);
    if (result_.states < 2) result_.remarks.emplace_back("nothing happened");
    result_.discoveries = discoveries_.take();
    if (!result_.discoveries.empty()) {
      result_.ruling = Ruling::violated;
    } else if (result_.closed && result_.remarks.empty()) {
      result_.ruling = Ruling::holds;
    }
    return std::move(result_);
  }

  const ExploreOptions& options_;
  StateSpace space_;
  Independence independence_;
  Discoveries discoveries_;
  Exploration result_;
  Fingerprints seen_;
  std::vector<Frame> way_;
  std::vector<bool> open_;  ///< By the states' numbers: its component is not complete yet.
  std::vector<std::uint32_t> component_;
  std::deque<std::pair<State, std::uint32_t>> waiting_;
  std::vector<Origin> origins_;
  bool full_ = false;
};

}  // namespace

Exploration explore(const Server& server, const Scope& scope, const ExploreOptions& options) {
  if (in_walks(options.order)) return walks(server, scope, options);
  Search search(server, scope, options);
  Exploration result = search.run();
  if (search.mistake().empty()) return result;
  ExploreOptions plain = options;
  plain.reductions.partial_order = false;
  result = Search(server, scope, plain).run();
  result.notes.push_back("without partial-order reduction: " + search.mistake());
  return result;
}

}  // namespace antiphon::verify
