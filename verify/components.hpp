#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace antiphon::verify {

inline constexpr std::uint32_t no_node = ~std::uint32_t{0};

/// The strongly connected components of a graph (R. Tarjan, 1972), in constant C++ stack. Nodes are numbers below a
/// size. `edges(node)` is a range that can be indexed, `target(edge)` the node that an edge leads to, or `no_node`
/// where it does not count.
template <class Edges, class Target>
class Components {
 public:
  using Node = std::uint32_t;

  Components(std::size_t size, const Edges& edges, const Target& target)
      : edges_(edges), target_(target), of_(size, no_node), number_(size, no_node), lowest_(size, 0) {
    for (Node node = 0; node < size; ++node) {
      if (number_[node] == no_node) search_from(node);
    }
  }

  /// By node: the number of its component. A component comes after those that it leads to.
  std::vector<Node> of_each() && { return std::move(of_); }

 private:
  struct Frame {
    Node node;
    std::size_t at;
  };

  void enter(Node node) {
    number_[node] = lowest_[node] = entered_++;
    open_.push_back(node);
    way_.push_back({node, 0});
  }
  void search_from(Node root) {
    enter(root);
    while (!way_.empty()) {
      Frame& top = way_.back();
      const auto& edges = edges_(top.node);
      if (top.at == edges.size()) {
        leave(top.node);
        continue;
      }
      const Node to = target_(edges[top.at++]);
      if (to == no_node) continue;
      if (number_[to] == no_node) {
        enter(to);
      } else if (of_[to] == no_node) {
        lowest_[top.node] = std::min(lowest_[top.node], number_[to]);
      }
    }
  }
  void leave(Node node) {
    way_.pop_back();
    if (!way_.empty()) lowest_[way_.back().node] = std::min(lowest_[way_.back().node], lowest_[node]);
    if (lowest_[node] != number_[node]) return;
    while (of_[node] == no_node) {
      of_[open_.back()] = components_;
      open_.pop_back();
    }
    ++components_;
  }

  const Edges& edges_;
  const Target& target_;
  std::vector<Node> of_;
  std::vector<Node> number_;  ///< In the order in which they were entered.
  std::vector<Node> lowest_;
  std::vector<Node> open_;  ///< Entered, and their component is not complete.
  std::vector<Frame> way_;
  Node entered_ = 0;
  Node components_ = 0;
};

template <class Edges, class Target>
std::vector<std::uint32_t> components(std::size_t size, const Edges& edges, const Target& target) {
  return Components(size, edges, target).of_each();
}

}  // namespace antiphon::verify
