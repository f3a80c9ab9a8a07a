#include "verify/circles.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <utility>

#include "verify/components.hpp"

namespace antiphon::verify {

using Edge = Component::Edge;
using Able = Component::Able;
using Vertex = std::uint32_t;  ///< A place in the component's list.

/// The edges of the component that stay in it, by the state that they leave.
class Circles::Graph {
 public:
  explicit Graph(const Component& component) : leaving_(component.states.size()) {
    for (const Edge& edge : component.edges) {
      const Vertex from = place_of(component, edge.from);
      const Vertex to = place_of(component, edge.to);
      if (from != nowhere && to != nowhere) leaving_[from].push_back({from, to, edge.outcome});
    }
  }
  [[nodiscard]] const std::vector<Edge>& leaving(Vertex state) const { return leaving_[state]; }
  [[nodiscard]] Vertex size() const { return static_cast<Vertex>(leaving_.size()); }

 private:
  static Vertex place_of(const Component& component, std::uint32_t number) {
    const auto found = std::ranges::lower_bound(component.states, number);
    if (found == component.states.end() || *found != number) return nowhere;
    return static_cast<Vertex>(found - component.states.begin());
  }

  static constexpr Vertex nowhere = ~Vertex{0};

  std::vector<std::vector<Edge>> leaving_;
};

namespace {

using Allowed = std::function<bool(const Edge&)>;

/// The strongly connected parts of the graph with the edges that are allowed, but for single states that do not lead to
/// themselves.
class Partition {
 public:
  Partition(const Circles::Graph& graph, const Allowed& allowed) {
    const auto edges = [&](Vertex state) -> const std::vector<Edge>& { return graph.leaving(state); };
    const auto target = [&](const Edge& edge) { return allowed(edge) ? edge.to : no_node; };
    of_ = components(graph.size(), edges, target);
    std::vector<std::vector<Vertex>> all(graph.size());
    for (Vertex state = 0; state < graph.size(); ++state) all[of_[state]].push_back(state);
    const auto goes_round = [&](const std::vector<Vertex>& part) {
      if (part.size() != 1) return !part.empty();
      return std::ranges::any_of(graph.leaving(part.front()),
                                 [&](const Edge& edge) { return edge.to == part.front() && allowed(edge); });
    };
    for (auto& part : all) {
      if (goes_round(part)) parts_.push_back(std::move(part));
    }
  }
  [[nodiscard]] const std::vector<std::vector<Vertex>>& parts() const { return parts_; }
  [[nodiscard]] std::uint32_t part_of(Vertex state) const { return of_[state]; }

 private:
  std::vector<std::uint32_t> of_;
  std::vector<std::vector<Vertex>> parts_;
};

/// The shortest way from a state by edges that are allowed to one that is wanted, with that edge.
std::vector<Edge> way_to(const Circles::Graph& graph, Vertex from, const Allowed& allowed, const Allowed& wanted) {
  std::vector<const Edge*> reached_by(graph.size(), nullptr);
  std::deque<Vertex> waiting{from};
  const auto way_back = [&](const Edge* last) {
    std::vector<Edge> way;
    for (const Edge* edge = last; edge != nullptr; edge = edge->from == from ? nullptr : reached_by[edge->from]) {
      way.push_back(*edge);
    }
    std::ranges::reverse(way);
    return way;
  };
  while (!waiting.empty()) {
    const Vertex state = waiting.front();
    waiting.pop_front();
    for (const Edge& edge : graph.leaving(state)) {
      if (!allowed(edge)) continue;
      if (wanted(edge)) return way_back(&edge);
      if (edge.to == from || reached_by[edge.to] != nullptr) continue;
      reached_by[edge.to] = &edge;
      waiting.push_back(edge.to);
    }
  }
  return {};
}

Able bit_of(const Outcome& outcome) {
  return outcome.actor < Component::most_actors ? Able{1} << outcome.actor : Able{0};
}

Able able_in(const Component::Actors& actors) { return actors.able | actors.pending; }

/// A circle through a part, in which whoever could be kept from going on is seen to go on, or to be unable to.
class Lap {
 public:
  Lap(const Circles::Graph& graph, const Allowed& inside, std::span<const Component::Actors> actors, Vertex start)
      : graph_(graph), inside_(inside), actors_(actors), start_(start), at_(start), kept_(able_in(actors[start])) {}

  std::vector<const Outcome*> make() {
    while (kept_ != 0 && go([&](const Edge& edge) { return (kept_ & ~still_kept(edge)) != 0; })) {
    }
    if (at_ != start_ || lap_.empty()) go([&](const Edge& edge) { return edge.to == start_; });
    return std::move(lap_);
  }

 private:
  [[nodiscard]] Able still_kept(const Edge& edge) const {
    return kept_ & able_in(actors_[edge.to]) & ~bit_of(*edge.outcome);
  }

  bool go(const Allowed& wanted) {
    const std::vector<Edge> way = way_to(graph_, at_, inside_, wanted);
    for (const Edge& edge : way) {
      kept_ = still_kept(edge);
      lap_.push_back(edge.outcome);
      at_ = edge.to;
    }
    return !way.empty();
  }

  const Circles::Graph& graph_;
  const Allowed& inside_;
  std::span<const Component::Actors> actors_;
  Vertex start_;
  Vertex at_;
  Able kept_;
  std::vector<const Outcome*> lap_;
};

/// Those who could go on in all states of a part, and never do in it.
Component::Actors kept_in(const std::vector<Vertex>& part, const Circles::Graph& graph, const Allowed& inside,
                          const Component& component) {
  Component::Actors kept{~Able{0}, ~Able{0}};
  Able all = ~Able{0};
  Able going_on = 0;
  for (const Vertex state : part) {
    const Component::Actors& here = component.actors[state];
    all &= able_in(here);
    kept.able &= here.able;
    for (const Edge& edge : graph.leaving(state)) {
      if (inside(edge)) going_on |= bit_of(*edge.outcome);
    }
  }
  kept.able &= ~going_on;
  kept.pending = all & ~going_on & ~kept.able;
  return kept;
}

bool is_round(const Edge& edge) { return is_ordinary(edge.outcome->move); }

}  // namespace

Circles::Circles(const Component& component) : component_(component), graph_(std::make_unique<Graph>(component)) {}
Circles::~Circles() = default;

bool Circles::any() const {
  const Allowed round = is_round;
  return !Partition(*graph_, round).parts().empty();
}

Circles::Found Circles::without(std::uint32_t client) const {
  const Allowed allowed = [&](const Edge& edge) {
    return is_round(edge) && (edge.outcome->told >> (client % 32) & 1U) == 0;
  };
  const Partition partition(*graph_, allowed);
  Found found;
  for (const std::vector<Vertex>& part : partition.parts()) {
    const std::uint32_t number = partition.part_of(part.front());
    const Allowed inside = [&](const Edge& edge) {
      return partition.part_of(edge.from) == number && partition.part_of(edge.to) == number && allowed(edge);
    };
    const Component::Actors kept = kept_in(part, *graph_, inside, component_);
    found.undecided |= kept.able == 0 && kept.pending != 0;
    if (kept.able != 0 || kept.pending != 0) continue;  // no circle in it is fair
    Circle circle;
    Vertex start = 0;
    if (partition.part_of(0) != number) {
      const Allowed leads_there = [&](const Edge& edge) { return partition.part_of(edge.to) == number; };
      const auto stem = way_to(*graph_, 0, [](const Edge&) { return true; }, leads_there);
      for (const Edge& edge : stem) circle.stem.push_back(edge.outcome);
      start = stem.back().to;
    }
    circle.lap = Lap(*graph_, inside, component_.actors, start).make();
    found.fair.push_back(std::move(circle));
  }
  return found;
}

}  // namespace antiphon::verify
