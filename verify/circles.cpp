#include "verify/circles.hpp"

#include <algorithm>
#include <deque>
#include <functional>

namespace antiphon::verify {

namespace {

using Edge = Component::Edge;
using Able = Component::Able;
using Vertex = std::uint32_t;  ///< A place in the component's list.

constexpr Vertex nowhere = ~Vertex{0};

/// The edges of a component that stay in it, by the state that they leave.
class Graph {
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

  std::vector<std::vector<Edge>> leaving_;
};

using Allowed = std::function<bool(const Edge&)>;

/// The strongly connected parts (R. Tarjan, 1972) of the graph with the edges that are allowed, but for single states
/// that do not lead to themselves.
class Partition {
 public:
  Partition(const Graph& graph, const Allowed& allowed)
      : graph_(graph), allowed_(allowed), index_(graph.size(), 0), lowest_(graph.size(), 0), part_(graph.size(), 0) {
    for (Vertex state = 0; state < graph.size(); ++state) {
      if (index_[state] == 0) search(state);
    }
  }
  [[nodiscard]] const std::vector<std::vector<Vertex>>& parts() const { return parts_; }
  /// Counted from 1; 0: in none.
  [[nodiscard]] std::uint32_t part_of(Vertex state) const { return part_[state]; }

 private:
  struct Frame {
    Vertex state;
    std::size_t next;
  };

  void enter(Vertex state) {
    index_[state] = lowest_[state] = ++count_;
    open_.push_back(state);
    way_.push_back({state, 0});
  }

  void search(Vertex first) {
    enter(first);
    while (!way_.empty()) {
      Frame& top = way_.back();
      const auto& leaving = graph_.leaving(top.state);
      if (top.next == leaving.size()) {
        leave();
        continue;
      }
      const Edge& edge = leaving[top.next++];
      if (!allowed_(edge)) continue;
      if (index_[edge.to] == 0) {
        enter(edge.to);
      } else if (lowest_[edge.to] != done) {
        lowest_[top.state] = std::min(lowest_[top.state], index_[edge.to]);
      }
    }
  }

  void leave() {
    const Vertex state = way_.back().state;
    way_.pop_back();
    if (!way_.empty()) {
      Vertex before = way_.back().state;
      lowest_[before] = std::min(lowest_[before], lowest_[state]);
    }
    if (lowest_[state] == index_[state]) close(state);
  }

  void close(Vertex first) {
    std::vector<Vertex> part;
    do {
      part.push_back(open_.back());
      lowest_[open_.back()] = done;
      open_.pop_back();
    } while (part.back() != first);
    const auto leads_to_itself = [&](const Edge& edge) { return edge.to == first && allowed_(edge); };
    if (part.size() == 1 && std::ranges::none_of(graph_.leaving(first), leads_to_itself)) return;
    std::ranges::sort(part);
    parts_.push_back(std::move(part));
    for (const Vertex state : parts_.back()) part_[state] = static_cast<std::uint32_t>(parts_.size());
  }

  static constexpr std::uint32_t done = ~std::uint32_t{0};

  const Graph& graph_;
  const Allowed& allowed_;
  std::uint32_t count_ = 0;
  std::vector<std::uint32_t> index_;  ///< From 1, in the order of arrival; 0: not yet.
  std::vector<std::uint32_t> lowest_;
  std::vector<std::uint32_t> part_;
  std::vector<Vertex> open_;
  std::vector<Frame> way_;
  std::vector<std::vector<Vertex>> parts_;
};

/// The shortest way from a state by edges that are allowed to one that is wanted, with that edge.
std::vector<Edge> way_to(const Graph& graph, Vertex from, const Allowed& allowed, const Allowed& wanted) {
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
  Lap(const Graph& graph, const Allowed& inside, std::span<const Component::Actors> actors, Vertex start)
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

  const Graph& graph_;
  const Allowed& inside_;
  std::span<const Component::Actors> actors_;
  Vertex start_;
  Vertex at_;
  Able kept_;
  std::vector<const Outcome*> lap_;
};

/// Those who could go on in all states of a part, and never do in it.
Component::Actors kept_in(const std::vector<Vertex>& part, const Graph& graph, const Allowed& inside,
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

bool has_circle(const Component& component) {
  const Graph graph(component);
  const Allowed round = is_round;
  return !Partition(graph, round).parts().empty();
}

Circles circles_without(std::uint32_t client, const Component& component) {
  const Graph graph(component);
  const Allowed allowed = [&](const Edge& edge) {
    return is_round(edge) && (edge.outcome->told >> (client % 32) & 1U) == 0;
  };
  const Partition partition(graph, allowed);
  Circles circles;
  for (const std::vector<Vertex>& part : partition.parts()) {
    const std::uint32_t number = partition.part_of(part.front());
    const Allowed inside = [&](const Edge& edge) {
      return partition.part_of(edge.from) == number && partition.part_of(edge.to) == number && allowed(edge);
    };
    const Component::Actors kept = kept_in(part, graph, inside, component);
    circles.undecided |= kept.able == 0 && kept.pending != 0;
    if (kept.able != 0 || kept.pending != 0) continue;  // no circle in it is fair
    Circle circle;
    Vertex start = 0;
    if (partition.part_of(0) != number) {
      const Allowed leads_there = [&](const Edge& edge) { return partition.part_of(edge.to) == number; };
      const auto stem = way_to(graph, 0, [](const Edge&) { return true; }, leads_there);
      for (const Edge& edge : stem) circle.stem.push_back(edge.outcome);
      start = stem.back().to;
    }
    circle.lap = Lap(graph, inside, component.actors, start).make();
    circles.fair.push_back(std::move(circle));
  }
  return circles;
}

}  // namespace antiphon::verify
