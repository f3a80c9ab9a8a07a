#include <fmt/format.h>
#include <fmt/ranges.h>

#include <range/v3/range/conversion.hpp>
#include <range/v3/view/enumerate.hpp>
#include <range/v3/view/join.hpp>
#include <range/v3/view/transform.hpp>
#include <string_view>

#include "interpreters/dump_formats.hpp"

namespace antiphon {

namespace {

/// The text between quotes. What Mermaid or HTML would read as markup stands as an entity.
std::string quoted(std::string_view text) {
  const auto escaped = [](char character) -> std::string {
    constexpr std::string_view markup = "\"#&<>|`\\";
    if (markup.find(character) == std::string_view::npos) return {character};
    return fmt::format("#{};", static_cast<int>(character));
  };
  return '"' + (text | ranges::views::transform(escaped) | ranges::views::join | ranges::to<std::string>()) + '"';
}

/// The lines between quotes, one below the other.
std::string quoted(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    const std::string one = quoted(line);
    text += (text.empty() ? "" : "<br/>") + one.substr(1, one.size() - 2);
  }
  return '"' + text + '"';
}

/// An end is a box of its own wherever it stands, so that the lines to it stay short.
std::string box_of(const ProgramGraph::Target& target, std::string_view unique) {
  if (const auto* const node = std::get_if<std::size_t>(&target)) {
    return fmt::format("n{}", *node + 1);
  }
  return fmt::format("{}([{}])", unique, quoted(words_of(std::get<End>(target))));
}

}  // namespace

std::string dump_mermaid(const ProgramGraph& graph) {
  std::string text = "flowchart TD\n";
  text += fmt::format("  start(( )) --> {}\n", box_of(graph.start, "end0"));
  for (const auto& [index, node] : graph.nodes | ranges::views::enumerate) {
    std::vector<std::string> lines{fmt::format("#{} {}", index + 1, words_of(node))};
    if (node.line != 0) lines.push_back(fmt::format("line {}", node.line));
    if (node.looks_at_content) lines.emplace_back("looks at content");
    text += fmt::format("  n{}[{}]\n", index + 1, quoted(lines));
  }
  std::size_t ends = 0;
  for (const auto& [index, node] : graph.nodes | ranges::views::enumerate) {
    for (const ProgramGraph::Branch& branch : node.branches) {
      const bool is_end = std::holds_alternative<End>(branch.target);
      const std::string end = is_end ? fmt::format("end{}", ++ends) : "";
      text += fmt::format("  n{} {}|{}| {}\n", index + 1, branch.sometimes ? "-.->" : "-->", quoted(words_of(branch)),
                          box_of(branch.target, end));
    }
  }
  std::vector<std::string> remarks = graph.remarks();
  if (!remarks.empty()) {
    remarks.insert(remarks.begin(), "not complete:");
    text += fmt::format("  remarks>{}]\n", quoted(remarks));
  }
  return text;
}

}  // namespace antiphon
