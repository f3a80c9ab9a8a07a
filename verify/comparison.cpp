#include "verify/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <unordered_map>
#include <utility>

#include "verify/bisimulation.hpp"
#include "verify/discoveries.hpp"
#include "verify/fingerprints.hpp"
#include "verify/independence.hpp"
#include "verify/observation.hpp"
#include "verify/position.hpp"
#include "verify/state_space.hpp"

namespace antiphon::verify {

namespace {

using Edge = TransitionSystem::Edge;

constexpr std::uint64_t progress_every = 1U << 16U;
constexpr std::uint64_t look_every = 1U << 8U;  ///< Whether there is memory for more.
/// What the classes of a system take, while they are found, for each edge and node of it.
constexpr std::uint64_t bytes_to_classify_edge = 2 * sizeof(Edge);
constexpr std::uint64_t bytes_to_classify_node = 64;
constexpr std::uint64_t bytes_of_place = 96;  ///< Of a way, and in its table.

/// The states of both servers as one transition system.
struct Union {
  TransitionSystem system;
  std::vector<const Outcome*> outcomes;  ///< By edge; null: nothing was done.

  /// Where nothing can follow any more.
  Node end = system.add_node();

  void add_edge(const Edge& edge, const Outcome* outcome) {
    system.add_edge(edge);
    outcomes.push_back(outcome);
  }
  [[nodiscard]] std::uint64_t bytes() const {
    return system.edge_count() * (sizeof(Edge) + sizeof(const Outcome*) + bytes_to_classify_edge) +
           system.size() * (sizeof(std::size_t) + bytes_to_classify_node);
  }
};

/// Adds the states of one server to the union, each once.
class Explored {
 public:
  Explored(const Server& server, const Scope& scope, const CompareOptions& options, Observer& observer, Union& both)
      : scope_(scope),
        options_(options),
        observer_(observer),
        both_(both),
        space_(server, scope.scenario, scope.adversity, observer),
        position_(space_) {}

  /// Whether all states were come by.
  bool run() {
    offset_ = static_cast<Node>(both_.system.size());
    see(space_.first());
    while (!waiting_.empty() && !full_ && !space_.overflowed()) {
      const State state = waiting_.front();
      waiting_.pop_front();
      expand(state);
    }
    side_.states = seen_.size();
    add_beginning();
    return waiting_.empty() && !full_ && !space_.overflowed();
  }

  [[nodiscard]] Node first() const { return first_; }
  [[nodiscard]] const ComparedSide& side() const { return side_; }
  [[nodiscard]] bool full() const { return full_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] const StateSpace& space() const { return space_; }

 private:
  struct Found {
    Edge edge;
    const Outcome* outcome;
    std::size_t order = 0;  ///< As it was found.
  };

  Node see(const State& state) {
    const Fingerprints::Place place = seen_.insert(state.fingerprint);
    if (!place.is_new) return offset_ + place.number;
    waiting_.push_back(state);
    if (seen_.size() % look_every == 0) {
      full_ |=
          both_.bytes() + seen_.bytes_next() + waiting_.size() * sizeof(State) + space_.bytes() > options_.most_memory;
    }
    if (seen_.size() % progress_every == 0) {
      options_.progress(std::to_string(seen_.size()) + " states, " + std::to_string(waiting_.size()) + " waiting");
    }
    return offset_ + place.number;
  }

  void expand(const State& state) {
    both_.system.add_node();
    found_.clear();
    position_.move_to(state);
    const bool rests = find_outcomes(state);
    for (const Outcome* const outcome : outcomes_) {
      found_.push_back({{outcome->observed, see(StateSpace::after(state, *outcome))}, outcome});
    }
    if (rests) {
      ++side_.rests;
      found_.push_back({{observer_.at_rest(remainder(state)), both_.end}, nullptr});
    }
    for (std::size_t order = 0; order < found_.size(); ++order) found_[order].order = order;
    std::ranges::sort(found_, {}, [](const Found& found) { return std::pair(found.edge, found.order); });
    found_.erase(std::ranges::unique(found_, {}, &Found::edge).begin(), found_.end());
    for (const Found& one : found_) {
      if (one.outcome != nullptr) ++(one.edge.label == silent ? side_.silent : side_.visible);
      both_.add_edge(one.edge, one.outcome);
    }
  }

  /// Everything that can happen, whoever does it; deadlines pass where nothing else can. How long a Sleep takes nobody
  /// can see, so it may end at any step. True: the state is at rest.
  bool find_outcomes(const State& state) {
    outcomes_.clear();
    late_.clear();
    bool quiet = true;
    for (std::size_t number = 0; number < position_.actor_count(); ++number) {
      const Prospect* const prospect = position_.prospect(number);
      if (prospect == nullptr || waits_its_turn(space_.actor(number), state)) continue;
      for (const Outcome& outcome : prospect->outcomes) outcomes_.push_back(&outcome);
      auto& way = prospect->sleeps ? outcomes_ : late_;
      for (const Outcome& outcome : prospect->ways_out) way.push_back(&outcome);
      quiet &= prospect->ordinary == 0 && (!prospect->sleeps || prospect->ways_out.empty());
    }
    if (quiet) outcomes_.insert(outcomes_.end(), late_.begin(), late_.end());
    return quiet && late_.empty();
  }

  [[nodiscard]] bool waits_its_turn(const Actor& who, const State& state) const {
    return options_.symmetry && who.kind == Move::Kind::client && has_twin_before(space_, scope_, who.index, state);
  }

  [[nodiscard]] Remainder remainder(const State& state) const {
    Remainder left;
    for (std::size_t number = 0; number < space_.actor_count(); ++number) {
      const Actor who = space_.actor(number);
      const world::Inhabitant* const process =
          who.kind == Move::Kind::process ? space_.process(who.index, state) : nullptr;
      if (process == nullptr) continue;
      ++left.processes;
      for (const world::Target& held : process->table) {
        if (held.index != no_index) ++(held.listener ? left.listeners : left.connections);
      }
    }
    return left;
  }

  /// The first state, and what could be seen before it.
  void add_beginning() {
    first_ = offset_;
    if (space_.observed_at_first() == silent || !waiting_.empty()) return;
    first_ = both_.system.add_node();
    both_.add_edge({space_.observed_at_first(), offset_}, nullptr);
  }

  const Scope& scope_;
  const CompareOptions& options_;
  Observer& observer_;
  Union& both_;
  StateSpace space_;
  Position position_;
  Fingerprints seen_;
  std::deque<State> waiting_;
  std::vector<const Outcome*> outcomes_;
  std::vector<const Outcome*> late_;
  std::vector<Found> found_;
  ComparedSide side_;
  Node offset_ = 0;
  Node first_ = 0;
  bool full_ = false;
};

/// The shortest way through the union that shows a trace.
class WayWithTrace {
 public:
  WayWithTrace(const Union& both, const std::vector<Node>& class_of, const Labels& trace, std::uint64_t most_bytes)
      : both_(both), class_of_(class_of), trace_(trace), most_places_(most_bytes / bytes_of_place) {}

  /// From the node, to one of the class if that is asked for. None if it takes too much memory.
  std::vector<Taken> find(Node from, std::optional<Node> to_class) {
    see({from, 0}, 0, nullptr);
    for (std::size_t at = 0; at < places_.size() && places_.size() < most_places_; ++at) {
      const Place place = places_[at].place;
      if (place.shown == trace_.size() && (!to_class || class_of_[place.node] == *to_class)) return path_to(at);
      const std::size_t first = both_.system.first_edge(place.node);
      const auto edges = both_.system.edges(place.node);
      for (std::size_t edge = 0; edge < edges.size(); ++edge) {
        if (edges[edge].label == silent) {
          see({edges[edge].to, place.shown}, at, both_.outcomes[first + edge]);
        } else if (place.shown < trace_.size() && edges[edge].label == trace_[place.shown]) {
          see({edges[edge].to, place.shown + 1}, at, both_.outcomes[first + edge]);
        }
      }
    }
    return {};
  }

 private:
  struct Place {
    Node node;
    std::size_t shown;  ///< So much of the trace.
  };
  struct Reached {
    Place place;
    std::size_t before;
    const Outcome* by;
  };

  void see(Place place, std::size_t before, const Outcome* by) {
    const std::uint64_t key = place.shown * both_.system.size() + place.node;
    if (known_.try_emplace(key, true).second) places_.push_back({place, before, by});
  }

  [[nodiscard]] std::vector<Taken> path_to(std::size_t at) const {
    std::vector<Taken> path;
    for (; at != 0; at = places_[at].before) {
      if (const Outcome* const by = places_[at].by) path.push_back(taken_of(*by));
    }
    std::ranges::reverse(path);
    return path;
  }

  const Union& both_;
  const std::vector<Node>& class_of_;
  const Labels& trace_;
  std::size_t most_places_;
  std::vector<Reached> places_;
  std::unordered_map<std::uint64_t, bool> known_;
};

class Comparer {
 public:
  Comparer(const Server& a, const Server& b, const Scope& scope, const CompareOptions& options) : options_(options) {
    for (std::size_t side = 0; side < 2; ++side) {
      sides_[side] = std::make_unique<Explored>(side == 0 ? a : b, scope, options, observer_, both_);
    }
  }

  Comparison run() && {
    if (explore()) judge();
    const auto count = static_cast<double>(result_.sides[0].states + result_.sides[1].states);
    result_.missed = std::ldexp(count * count, -129);
    return std::move(result_);
  }

 private:
  bool explore() {
    bool all = true;
    for (std::size_t side = 0; side < 2 && all; ++side) {
      Explored& one = *sides_[side];
      all = one.run();
      first_[side] = one.first();
      result_.sides[side] = one.side();
      if (one.full()) {
        result_.remarks.push_back("the memory was full; " + std::to_string(one.waiting()) + " states wait");
      }
      add_remarks_on(one.space(), result_.remarks);
    }
    return all;
  }

  void judge() {
    options_.progress("classes of " + std::to_string(both_.system.size()) + " states");
    auto classes = weak_classes(both_.system, options_.most_memory);
    if (!classes) return out_of_memory("the classes of weak bisimulation were not found");
    classes_ = *std::move(classes);
    result_.classes = classes_.quotient.size();
    const std::array<Node, 2> first{classes_.of[first_[0]], classes_.of[first_[1]]};
    if (first[0] == first[1]) {
      if (result_.remarks.empty()) result_.ruling = Ruling::holds;
      return;
    }
    result_.ruling = Ruling::violated;
    if (find_traces(first)) return;
    if (!result_.only[0] && !result_.only[1]) find_distinction(first);
  }

  void out_of_memory(const std::string& consequence) {
    result_.remarks.push_back("the memory was full: " + consequence);
  }

  /// True: the memory was full.
  bool find_traces(const std::array<Node, 2>& first) {
    bool full = false;
    for (std::size_t side = 0; side < 2; ++side) {
      options_.progress("traces of " + std::string(side == 0 ? "the first" : "the second"));
      const auto trace = missing_trace(classes_.quotient, first[side], first[1 - side], options_.most_memory);
      full |= !trace;
      if (!trace) out_of_memory("the traces were not all compared");
      if (trace && *trace) result_.only[side] = Shown{in_words(**trace), way(side, **trace)};
    }
    return full;
  }

  void find_distinction(const std::array<Node, 2>& first) {
    const Experiment found = experiment(classes_, first[0], first[1]);
    const std::size_t who = found.first_can ? 0 : 1;
    Labels all = found.trace;
    all.push_back(found.then);
    result_.distinction = Distinction{in_words(found.trace), observer_.text(found.then), who, way(who, all),
                                      way(1 - who, found.trace, found.first_can ? found.there : found.here)};
  }

  [[nodiscard]] std::vector<std::string> in_words(const Labels& labels) const {
    std::vector<std::string> words;
    words.reserve(labels.size());
    for (const Label label : labels) words.push_back(observer_.text(label));
    return words;
  }

  [[nodiscard]] std::vector<Taken> way(std::size_t side, const Labels& trace, std::optional<Node> to_class = {}) const {
    return WayWithTrace(both_, classes_.of, trace, options_.most_memory).find(first_[side], to_class);
  }

  const CompareOptions& options_;
  Observer observer_;
  Union both_;
  std::array<std::unique_ptr<Explored>, 2> sides_;
  std::array<Node, 2> first_{};
  WeakClasses classes_;
  Comparison result_;
};

}  // namespace

Comparison compare(const Server& a, const Server& b, const Scope& scope, const CompareOptions& options) {
  return Comparer(a, b, scope, options).run();
}

}  // namespace antiphon::verify
