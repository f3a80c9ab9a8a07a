#include "verify/bisimulation.hpp"

#include <algorithm>
#include <cassert>
#include <span>
#include <unordered_map>
#include <utility>

#include "verify/components.hpp"

namespace antiphon::verify {

namespace {

using Edge = TransitionSystem::Edge;

constexpr std::size_t bytes_of_entry = 64;  ///< Of a map from hashes, by and large.

/// Sorted sets of numbers, each kept once.
class Sets {
 public:
  using Element = std::uint64_t;

  std::uint32_t intern(std::vector<Element>& elements) {
    std::ranges::sort(elements);
    elements.erase(std::ranges::unique(elements).begin(), elements.end());
    const std::uint64_t hash = hash_of(elements);
    for (auto [found, end] = numbers_.equal_range(hash); found != end; ++found) {
      if (std::ranges::equal((*this)[found->second], elements)) return found->second;
    }
    begins_.push_back(elements_.size());
    elements_.insert(elements_.end(), elements.begin(), elements.end());
    const auto number = static_cast<std::uint32_t>(begins_.size() - 1);
    numbers_.emplace(hash, number);
    return number;
  }
  std::span<const Element> operator[](std::uint32_t number) const {
    const std::size_t end = number + std::size_t{1} < begins_.size() ? begins_[number + 1] : elements_.size();
    return std::span(elements_).subspan(begins_[number], end - begins_[number]);
  }
  [[nodiscard]] std::size_t size() const { return begins_.size(); }
  [[nodiscard]] std::uint64_t bytes() const {
    return elements_.capacity() * sizeof(Element) + begins_.size() * (sizeof(std::size_t) + bytes_of_entry);
  }

 private:
  static std::uint64_t hash_of(const std::vector<Element>& elements) {
    std::uint64_t hash = 0x9E3779B97F4A7C15ULL;
    for (const Element element : elements) {
      hash = (hash ^ element) * 0xD6E8FEB86659FD93ULL;
      hash ^= hash >> 32U;
    }
    return hash;
  }

  std::vector<Element> elements_;
  std::vector<std::size_t> begins_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> numbers_;
};

std::uint64_t packed(Label label, Node node) { return (std::uint64_t{label} << 32U) | node; }
Edge unpacked(std::uint64_t element) {
  return {static_cast<Label>(element >> 32U), static_cast<Node>(element & 0xFFFFFFFFU)};
}

void append(std::vector<std::uint64_t>& elements, std::span<const std::uint64_t> more) {
  elements.insert(elements.end(), more.begin(), more.end());
}

// -- silent circles ---------------------------------------------------------------------------------------------------

/// A system without silent circles: whoever went round in one is one node. A node comes after those that it silently
/// leads to.
struct Condensed {
  std::vector<Node> of;  ///< By node of the original.
  TransitionSystem system;
};

/// The nodes sorted by what `of` says of them: numbers below `count`.
std::vector<Node> sorted_by(const std::vector<Node>& of, std::size_t count) {
  std::vector<std::size_t> places(count + 1, 0);
  for (const Node number : of) ++places[number + std::size_t{1}];
  for (std::size_t number = 0; number < count; ++number) places[number + 1] += places[number];
  std::vector<Node> nodes(of.size());
  for (Node node = 0; node < of.size(); ++node) nodes[places[of[node]]++] = node;
  return nodes;
}

/// Nodes with one number are one node; its silent edges to itself are left out.
TransitionSystem merged(const TransitionSystem& system, const std::vector<Node>& of) {
  TransitionSystem result;
  const std::vector<Node> nodes = sorted_by(of, of.size());
  std::vector<Edge> edges;
  for (std::size_t at = 0; at < nodes.size();) {
    const Node target = of[nodes[at]];
    edges.clear();
    for (; at < nodes.size() && of[nodes[at]] == target; ++at) {
      for (const Edge& edge : system.edges(nodes[at])) {
        if (edge.label != silent || of[edge.to] != target) edges.push_back({edge.label, of[edge.to]});
      }
    }
    std::ranges::sort(edges);
    edges.erase(std::ranges::unique(edges).begin(), edges.end());
    result.add_node();
    for (const Edge& edge : edges) result.add_edge(edge);
  }
  return result;
}

Condensed condense(const TransitionSystem& system) {
  const auto edges = [&](Node node) { return system.edges(node); };
  const auto target = [](const Edge& edge) { return edge.label == silent ? edge.to : no_node; };
  Condensed result{components(system.size(), edges, target), {}};
  result.system = merged(system, result.of);
  return result;
}

// -- partition refinement ---------------------------------------------------------------------------------------------

/// Splits the blocks of a condensed system, round by round, until nobody differs in its signature.
class Refinement {
 public:
  Refinement(const TransitionSystem& system, std::uint64_t most_bytes)
      : system_(system), most_bytes_(most_bytes), block_(system.size(), 0), signature_(system.size(), 0) {}

  /// Branching bisimulation, which is finer than weak bisimulation and much cheaper to find.
  bool refine_branching() {
    return refine([this] { return sign_branching(); });
  }
  bool refine_weak(std::vector<std::vector<Node>>& rounds) {
    return refine([&] {
      rounds.push_back(block_);
      return sign_weak();
    });
  }
  [[nodiscard]] const std::vector<Node>& blocks() const { return block_; }

 private:
  /// False: the memory was full.
  template <class Sign>
  bool refine(Sign&& sign) {
    if (system_.size() == 0) return true;
    for (Node before = 0; before < count_;) {
      before = count_;
      if (!sign()) return false;
      split();
    }
    return true;
  }

  void split() {
    std::unordered_map<std::uint64_t, Node> numbers;
    for (Node node = 0; node < system_.size(); ++node) {
      const std::uint64_t key = packed(block_[node], signature_[node]);
      block_[node] = numbers.try_emplace(key, static_cast<Node>(numbers.size())).first->second;
    }
    count_ = static_cast<Node>(numbers.size());
  }

  /// What the node leads to, after silent steps within its block.
  bool sign_branching() {
    Sets signatures;
    for (Node node = 0; node < system_.size(); ++node) {
      elements_.clear();
      for (const Edge& edge : system_.edges(node)) {
        if (edge.label == silent && block_[edge.to] == block_[node]) {
          append(elements_, signatures[signature_[edge.to]]);
        } else {
          elements_.push_back(packed(edge.label, block_[edge.to]));
        }
      }
      signature_[node] = signatures.intern(elements_);
      if (signatures.bytes() > most_bytes_) return false;
    }
    return true;
  }

  /// What the node leads to by a step, with silent ones before and after it, or by silent ones alone.
  bool sign_weak() {
    Sets reached;
    std::vector<std::uint32_t> reach(system_.size());
    for (Node node = 0; node < system_.size(); ++node) {
      elements_.assign(1, packed(silent, block_[node]));
      for (const Edge& edge : system_.edges(node)) {
        if (edge.label == silent) append(elements_, reached[reach[edge.to]]);
      }
      reach[node] = reached.intern(elements_);
      if (reached.bytes() > most_bytes_) return false;
    }
    Sets signatures;
    for (Node node = 0; node < system_.size(); ++node) {
      const auto silently = reached[reach[node]];
      elements_.assign(silently.begin(), silently.end());
      for (const Edge& edge : system_.edges(node)) {
        if (edge.label == silent) append(elements_, signatures[signature_[edge.to]]);
        if (edge.label == silent) continue;
        for (const std::uint64_t block : reached[reach[edge.to]]) {
          elements_.push_back(packed(edge.label, unpacked(block).to));
        }
      }
      signature_[node] = signatures.intern(elements_);
      if (reached.bytes() + signatures.bytes() > most_bytes_) return false;
    }
    return true;
  }

  const TransitionSystem& system_;
  std::uint64_t most_bytes_;
  std::vector<Node> block_;
  std::vector<std::uint32_t> signature_;
  std::vector<std::uint64_t> elements_;
  Node count_ = 1;
};

// -- moves of a quotient ----------------------------------------------------------------------------------------------

/// Sets of nodes, each closed under silent steps.
class Closures {
 public:
  explicit Closures(const TransitionSystem& system) : system_(system) {}

  std::uint32_t of(Node node) {
    const auto [found, is_new] = of_node_.try_emplace(node, 0);
    if (is_new) {
      elements_.assign(1, node);
      found->second = close();
    }
    return found->second;
  }
  /// After the label; the empty set if nobody of the set has it.
  std::uint32_t after(std::uint32_t set, Label label) {
    const auto [found, is_new] = after_.try_emplace(packed(label, set), 0);
    if (is_new) {
      elements_.clear();
      for (const std::uint64_t node : sets_[set]) {
        for (const Edge& edge : system_.edges(static_cast<Node>(node))) {
          if (edge.label == label) elements_.push_back(edge.to);
        }
      }
      found->second = close();
    }
    return found->second;
  }
  std::span<const std::uint64_t> operator[](std::uint32_t set) const { return sets_[set]; }
  [[nodiscard]] bool has(std::uint32_t set, Node node) const {
    return std::ranges::binary_search(sets_[set], std::uint64_t{node});
  }
  [[nodiscard]] bool includes(std::uint32_t larger, std::uint32_t smaller) const {
    return larger == smaller || std::ranges::includes(sets_[larger], sets_[smaller]);
  }
  /// The label can come, after silent steps.
  [[nodiscard]] bool can(std::uint32_t set, Label label) { return !sets_[after(set, label)].empty(); }
  [[nodiscard]] std::uint64_t bytes() const {
    return sets_.bytes() + (after_.size() + of_node_.size()) * bytes_of_entry;
  }

 private:
  std::uint32_t close() {
    inside_.resize(system_.size());
    std::vector<std::uint64_t> all;
    const auto add = [&](std::uint64_t node) {
      if (!inside_[node]) all.push_back(node);
      inside_[node] = true;
    };
    for (const std::uint64_t node : elements_) add(node);
    for (std::size_t at = 0; at < all.size();) {
      for (const Edge& edge : system_.edges(static_cast<Node>(all[at++]))) {
        if (edge.label == silent) add(edge.to);
      }
    }
    for (const std::uint64_t node : all) inside_[node] = false;
    return sets_.intern(all);
  }

  const TransitionSystem& system_;
  Sets sets_;
  std::unordered_map<Node, std::uint32_t> of_node_;
  std::unordered_map<std::uint64_t, std::uint32_t> after_;
  std::vector<std::uint64_t> elements_;
  std::vector<bool> inside_;
};

/// Goes through the traces of one node, the shortest first, with the set of nodes where another may be after them.
class TraceSearch {
 public:
  TraceSearch(const TransitionSystem& system, std::uint64_t most_bytes)
      : system_(system), most_bytes_(most_bytes), closures_(system), known_(system.size()) {}

  std::expected<std::optional<Labels>, MemoryFull> run(Node first, Node second) {
    see(first, closures_.of(second), 0, silent);
    for (std::size_t at = 0; at < pairs_.size(); ++at) {
      if (closures_.bytes() + pairs_.size() * bytes_of_entry > most_bytes_) return std::unexpected(MemoryFull{});
      if (const auto last = expand(at)) return trace_to(at, *last);
    }
    return std::optional<Labels>();
  }

 private:
  struct Pair {
    Node node;
    std::uint32_t others;
    std::size_t before;
    Label by;
  };

  /// A label that the others do not have, if there is one.
  std::optional<Label> expand(std::size_t at) {
    const auto [node, others, before, by] = pairs_[at];
    const auto here = closures_[closures_.of(node)];
    const std::vector<std::uint64_t> nodes(here.begin(), here.end());  // (the sets move as they become more)
    for (const std::uint64_t one : nodes) {
      for (const Edge& edge : system_.edges(static_cast<Node>(one))) {
        if (edge.label == silent) continue;
        const std::uint32_t after = closures_.after(others, edge.label);
        if (closures_[after].empty()) return edge.label;
        see(edge.to, after, at, edge.label);
      }
    }
    return std::nullopt;
  }

  /// Where one of the others has whatever the node has there is nothing to find, nor where fewer others stood with the
  /// node before.
  void see(Node node, std::uint32_t others, std::size_t before, Label by) {
    if (closures_.has(others, node)) return;
    std::vector<std::uint32_t>& known = known_[node];
    if (std::ranges::any_of(known, [&](std::uint32_t fewer) { return closures_.includes(others, fewer); })) return;
    known.push_back(others);
    pairs_.push_back({node, others, before, by});
  }

  [[nodiscard]] Labels trace_to(std::size_t at, Label last) const {
    Labels trace{last};
    for (; pairs_[at].by != silent; at = pairs_[at].before) trace.push_back(pairs_[at].by);
    std::ranges::reverse(trace);
    return trace;
  }

  const TransitionSystem& system_;
  std::uint64_t most_bytes_;
  Closures closures_;
  std::vector<std::vector<std::uint32_t>> known_;  ///< By node: the sets that it was met with.
  std::vector<Pair> pairs_;
};

/// The game of weak bisimulation: an attacker moves on one side, a defender answers on the other.
class Game {
 public:
  explicit Game(const WeakClasses& classes) : classes_(classes), closures_(classes.quotient) {}

  Experiment play(Node first, Node second) {
    Experiment result;
    result.here = first;
    result.there = second;
    // Every move leaves fewer rounds.
    for (std::size_t left = classes_.rounds.size(); left > 0;) {
      const Turn turn =
          std::min(best_turn(result.here, result.there, true), best_turn(result.there, result.here, false));
      assert(turn.rounds_left < left);
      left = turn.rounds_left;
      take(turn, result);
    }
    return result;
  }

 private:
  struct Turn {
    std::size_t rounds_left;  ///< At most, if it is answered; 0: there is no answer.
    Label label;
    Node to;
    Node answer;
    bool by_first;

    auto operator<=>(const Turn&) const = default;
  };

  static void take(const Turn& turn, Experiment& result) {
    result.first_can = turn.by_first;
    if (turn.rounds_left == 0) {
      result.then = turn.label;
      return;
    }
    if (turn.label != silent) result.trace.push_back(turn.label);
    result.here = turn.by_first ? turn.to : turn.answer;
    result.there = turn.by_first ? turn.answer : turn.to;
  }

  /// The first round that tells them apart.
  [[nodiscard]] std::size_t rounds(Node one, Node other) const {
    std::size_t round = 0;
    while (round < classes_.rounds.size() && classes_.rounds[round][one] == classes_.rounds[round][other]) ++round;
    return round;
  }

  /// The attacker's best move from one node while the defender is at the other.
  Turn best_turn(Node from, Node other, bool by_first) {
    Turn best{~std::size_t{0}, silent, from, other, by_first};
    for (const Edge& move : moves(from)) {
      const std::uint32_t mine = closures_.of(other);
      const std::uint32_t answers = move.label == silent ? mine : closures_.after(mine, move.label);
      Turn turn{0, move.label, move.to, other, by_first};
      for (const std::uint64_t answer : closures_[answers]) {
        const std::size_t left = rounds(move.to, static_cast<Node>(answer));
        if (left <= turn.rounds_left) continue;
        turn.rounds_left = left;
        turn.answer = static_cast<Node>(answer);
      }
      best = std::min(best, turn);
    }
    return best;
  }

  /// All that the node leads to by a silent step or more, or by one that shows with silent ones around it.
  std::vector<Edge> moves(Node from) {
    std::vector<Edge> all;
    const auto here = closures_[closures_.of(from)];
    const std::vector<std::uint64_t> nodes(here.begin(), here.end());
    for (const std::uint64_t node : nodes) {
      all.push_back({silent, static_cast<Node>(node)});
      for (const Edge& edge : classes_.quotient.edges(static_cast<Node>(node))) {
        if (edge.label == silent) continue;
        for (const std::uint64_t to : closures_[closures_.of(edge.to)])
          all.push_back({edge.label, static_cast<Node>(to)});
      }
    }
    std::ranges::sort(all);
    all.erase(std::ranges::unique(all).begin(), all.end());
    return all;
  }

  const WeakClasses& classes_;
  Closures closures_;
};

/// One node for each number; what was said of the nodes is said of it.
std::vector<Node> by_class(const std::vector<Node>& of_node, const std::vector<Node>& of, std::size_t classes) {
  std::vector<Node> result(classes);
  for (Node node = 0; node < of.size(); ++node) result[of[node]] = of_node[node];
  return result;
}

std::vector<Node> composed(const std::vector<Node>& first, const std::vector<Node>& second) {
  std::vector<Node> result(first.size());
  std::ranges::transform(first, result.begin(), [&](Node node) { return second[node]; });
  return result;
}

}  // namespace

std::expected<WeakClasses, MemoryFull> weak_classes(const TransitionSystem& system, std::uint64_t most_bytes) {
  const Condensed condensed = condense(system);
  Refinement branching(condensed.system, most_bytes);
  if (!branching.refine_branching()) return std::unexpected(MemoryFull{});
  const Condensed smaller = condense(merged(condensed.system, branching.blocks()));
  Refinement weak(smaller.system, most_bytes);
  WeakClasses result;
  if (!weak.refine_weak(result.rounds)) return std::unexpected(MemoryFull{});
  result.of = composed(composed(composed(condensed.of, branching.blocks()), smaller.of), weak.blocks());
  result.quotient = merged(smaller.system, weak.blocks());
  for (std::vector<Node>& round : result.rounds) {
    round = by_class(round, weak.blocks(), result.quotient.size());
  }
  return result;
}

std::expected<std::optional<Labels>, MemoryFull> missing_trace(const TransitionSystem& system, Node first, Node second,
                                                               std::uint64_t most_bytes) {
  return TraceSearch(system, most_bytes).run(first, second);
}

Experiment experiment(const WeakClasses& classes, Node first, Node second) { return Game(classes).play(first, second); }

}  // namespace antiphon::verify
