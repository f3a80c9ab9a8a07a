#include <fmt/format.h>

#include <map>
#include <range/v3/range/conversion.hpp>
#include <range/v3/view/enumerate.hpp>
#include <range/v3/view/join.hpp>
#include <range/v3/view/transform.hpp>
#include <string_view>

#include "interpreters/dump_formats.hpp"

namespace antiphon {

namespace {

/// The text between quotes, as a DOT string. Newlines begin a new line of the label, set to the left.
std::string quoted(std::string_view text) {
  const auto escaped = [](char character) -> std::string {
    if (character == '"' || character == '\\') return {'\\', character};
    return character == '\n' ? "\\l" : std::string(1, character);
  };
  return '"' + (text | ranges::views::transform(escaped) | ranges::views::join | ranges::to<std::string>()) + '"';
}

std::string name_of(const ProgramGraph::Target& target) {
  if (const auto* const node = std::get_if<std::size_t>(&target)) {
    return fmt::format("n{}", *node + 1);
  }
  return quoted(words_of(std::get<End>(target)));
}

constexpr std::string_view grey = ", color=grey, fontcolor=grey";

class DotPainter {
 public:
  DotPainter(const ProgramGraph& graph, const Passages* passages) : graph_(graph), passages_(passages) {}

  std::string paint() {
    text_ =
        "digraph program {\n"
        "  node [shape=plaintext];\n"
        "  start [shape=point];\n";
    draw_remarks();
    for (std::size_t index = 0; index < graph_.nodes.size(); ++index) draw_node(index);
    text_ += fmt::format("  start -> {};\n", name_of(graph_.start));
    for (const auto& [index, node] : graph_.nodes | ranges::views::enumerate) {
      for (std::size_t branch = 0; branch < node.branches.size(); ++branch) draw_branch(index, branch);
    }
    if (passages_ != nullptr) draw_ends_never_reached();
    return text_ + "}\n";
  }

 private:
  void draw_remarks() {
    const std::vector<std::string> remarks = graph_.remarks();
    if (remarks.empty()) return;
    std::string label = "not complete:\n";
    for (const std::string& remark : remarks) label += remark + "\n";
    text_ += fmt::format("  label={};\n", quoted(label));
  }

  void draw_node(std::size_t index) {
    const ProgramGraph::Node& node = graph_.nodes[index];
    const bool is_grey = passages_ != nullptr && passages_->nodes[index].arrivals == 0;
    std::string label = fmt::format("#{} {}\n", index + 1, words_of(node));
    if (node.line != 0) label += fmt::format("line {}\n", node.line);
    if (node.looks_at_content) label += "looks at content\n";
    if (passages_ != nullptr) label += words_of(passages_->nodes[index]) + "\n";
    std::string_view style = node.looks_at_content ? ", style=bold" : "";
    if (is_grey) style = node.looks_at_content ? ", style=\"bold,dashed\"" : ", style=dashed";
    text_ += fmt::format("  n{} [shape=box{}{}, label={}];\n", index + 1, style, is_grey ? grey : "", quoted(label));
  }

  void draw_branch(std::size_t index, std::size_t at) {
    const ProgramGraph::Branch& branch = graph_.nodes[index].branches[at];
    const bool is_grey = passages_ != nullptr && !is_taken(index, at);
    std::string label = words_of(branch);
    if (is_taken(index, at)) label += fmt::format("  ×{}", passages_->nodes[index].branches[at]);
    text_ += fmt::format("  n{} -> {} [label={}{}{}];\n", index + 1, name_of(branch.target), quoted(label),
                         branch.sometimes || is_grey ? ", style=dashed" : "", is_grey ? grey : "");
  }

  bool is_taken(std::size_t index, std::size_t at) const {
    return passages_ != nullptr && passages_->nodes[index].branches[at] > 0;
  }

  /// An end has no frame that could be dashed.
  void draw_ends_never_reached() {
    std::map<End, bool> reached;
    for (const auto& [index, node] : graph_.nodes | ranges::views::enumerate) {
      for (const auto& [at, branch] : node.branches | ranges::views::enumerate) {
        if (const auto* const end = std::get_if<End>(&branch.target)) reached[*end] |= is_taken(index, at);
      }
    }
    for (const auto& [end, is_reached] : reached) {
      if (!is_reached) text_ += fmt::format("  {} [fontcolor=grey];\n", name_of(end));
    }
  }

  const ProgramGraph& graph_;
  const Passages* passages_;
  std::string text_;
};

}  // namespace

std::string dump_dot(const ProgramGraph& graph, const Passages* passages) {
  return DotPainter(graph, passages).paint();
}

}  // namespace antiphon
