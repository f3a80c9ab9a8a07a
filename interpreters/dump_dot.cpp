#include <fmt/format.h>

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

}  // namespace

std::string dump_dot(const ProgramGraph& graph) {
  std::string text =
      "digraph program {\n"
      "  node [shape=plaintext];\n"
      "  start [shape=point];\n";
  const std::vector<std::string> remarks = graph.remarks();
  if (!remarks.empty()) {
    std::string label = "not complete:\n";
    for (const std::string& remark : remarks) label += remark + "\n";
    text += fmt::format("  label={};\n", quoted(label));
  }
  for (const auto& [index, node] : graph.nodes | ranges::views::enumerate) {
    std::string label = fmt::format("#{} {}\n", index + 1, words_of(node));
    if (node.line != 0) label += fmt::format("line {}\n", node.line);
    if (node.looks_at_content) label += "looks at content\n";
    text += fmt::format("  n{} [shape=box{}, label={}];\n", index + 1, node.looks_at_content ? ", style=bold" : "",
                        quoted(label));
  }
  text += fmt::format("  start -> {};\n", name_of(graph.start));
  for (const auto& [index, node] : graph.nodes | ranges::views::enumerate) {
    for (const ProgramGraph::Branch& branch : node.branches) {
      text += fmt::format("  n{} -> {} [label={}{}];\n", index + 1, name_of(branch.target), quoted(words_of(branch)),
                          branch.sometimes ? ", style=dashed" : "");
    }
  }
  return text + "}\n";
}

}  // namespace antiphon
