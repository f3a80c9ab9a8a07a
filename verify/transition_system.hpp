#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// A labelled transition system: numbered nodes, and edges between them with labels, of which one is silent.

namespace antiphon::verify {

using Label = std::uint32_t;
inline constexpr Label silent = 0;

using Node = std::uint32_t;

class TransitionSystem {
 public:
  struct Edge {
    Label label;
    Node to;

    auto operator<=>(const Edge&) const = default;
  };

  /// Edges that are added from now on leave this node.
  Node add_node() {
    begins_.push_back(edges_.size());
    return static_cast<Node>(begins_.size() - 1);
  }
  void add_edge(Edge edge) { edges_.push_back(edge); }

  [[nodiscard]] std::size_t size() const { return begins_.size(); }
  [[nodiscard]] std::size_t edge_count() const { return edges_.size(); }
  /// The number of the node's first edge, in the order in which they were added.
  [[nodiscard]] std::size_t first_edge(Node node) const { return begins_[node]; }
  [[nodiscard]] std::span<const Edge> edges(Node node) const {
    const std::size_t end = node + std::size_t{1} < begins_.size() ? begins_[node + std::size_t{1}] : edges_.size();
    return std::span(edges_).subspan(begins_[node], end - begins_[node]);
  }

 private:
  std::vector<std::size_t> begins_;
  std::vector<Edge> edges_;
};

}  // namespace antiphon::verify
