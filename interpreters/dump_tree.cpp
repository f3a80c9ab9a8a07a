#include <fmt/format.h>

#include <utility>
#include <vector>

#include "interpreters/dump_formats.hpp"

namespace antiphon {

namespace {

/// Draws each node where a reader meets it first, and refers to it by its number from then on.
class TreePainter {
 public:
  TreePainter(const ProgramGraph& graph, const Passages* passages)
      : graph_(graph), passages_(passages), drawing_(graph.nodes.size()), drawn_(graph.nodes.size()) {}

  std::string paint() {
    draw_target(graph_.start, "");
    return std::move(text_);
  }

 private:
  /// A short target stands behind its label, a node on lines of its own.
  bool is_short(const ProgramGraph::Target& target) const {
    const auto* const node = std::get_if<std::size_t>(&target);
    return node == nullptr || drawn_[*node];
  }

  std::string reference(const ProgramGraph::Target& target) const {
    if (const auto* const end = std::get_if<End>(&target)) return words_of(*end);
    const std::size_t node = std::get<std::size_t>(target);
    return fmt::format("{} #{}", drawing_[node] ? "↑" : "→", node + 1);
  }

  std::string words_of_passages(std::size_t node) const {
    return passages_ == nullptr ? "" : "  " + words_of(passages_->nodes[node]);
  }

  /// Below what was never reached nothing is said again.
  std::string words_of_passages(std::size_t node, std::size_t branch) const {
    if (passages_ == nullptr || passages_->nodes[node].arrivals == 0) return "";
    const std::uint64_t taken = passages_->nodes[node].branches[branch];
    return taken == 0 ? "  (never taken)" : fmt::format("  ×{}", taken);
  }

  void draw_target(const ProgramGraph::Target& target, const std::string& indent) {
    if (is_short(target)) {
      text_ += indent + reference(target) + "\n";
    } else {
      draw_node(std::get<std::size_t>(target), indent);
    }
  }

  void draw_node(std::size_t index, const std::string& indent) {
    const ProgramGraph::Node& node = graph_.nodes[index];
    drawing_[index] = drawn_[index] = true;
    text_ += fmt::format("{}#{} {}", indent, index + 1, words_of(node));
    if (node.line != 0) text_ += fmt::format("  :{}", node.line);
    if (node.looks_at_content) text_ += "  (looks at content)";
    text_ += words_of_passages(index) + "\n";
    for (std::size_t branch = 0; branch < node.branches.size(); ++branch) draw_branch(index, branch, indent);
    drawing_[index] = false;
  }

  void draw_branch(std::size_t index, std::size_t at, const std::string& indent) {
    const ProgramGraph::Branch& branch = graph_.nodes[index].branches[at];
    const bool is_last = at + 1 == graph_.nodes[index].branches.size();
    text_ += indent + (is_last ? "└─ " : "├─ ") + words_of(branch);
    const bool fits = is_short(branch.target);
    if (fits) text_ += ": " + reference(branch.target);
    text_ += words_of_passages(index, at) + "\n";
    if (!fits) draw_node(std::get<std::size_t>(branch.target), indent + (is_last ? "   " : "│  "));
  }

  const ProgramGraph& graph_;
  const Passages* passages_;
  std::vector<bool> drawing_;  ///< Of each node: it leads here.
  std::vector<bool> drawn_;
  std::string text_;
};

}  // namespace

std::string dump_tree(const ProgramGraph& graph, const Passages* passages) {
  std::string text = TreePainter(graph, passages).paint();
  const std::vector<std::string> remarks = graph.remarks();
  if (!remarks.empty()) text += "\nnot complete:\n";
  for (const std::string& remark : remarks) text += "  " + remark + "\n";
  return text;
}

}  // namespace antiphon
