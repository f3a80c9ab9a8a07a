#include "interpreters/dump_formats.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

namespace antiphon {

namespace {

/// The operands whose name is a part of the sentence; the others stand by themselves.
constexpr std::string_view spoken_operands[] = {"at", "to", "from", "backlog", "at_most", "at_most_alike", "until"};

std::string words_of(const ProgramGraph::Operand& operand) {
  std::string words = fmt::format("{}", fmt::join(operand.values, " | "));
  if (std::ranges::find(spoken_operands, operand.name) == std::end(spoken_operands)) return words;
  std::string name = operand.name;
  std::ranges::replace(name, '_', ' ');
  return name + " " + words;
}

}  // namespace

std::string words_of(const ProgramGraph::Node& node) {
  std::string words = node.instruction;
  std::string_view separator = " ";
  for (const ProgramGraph::Operand& operand : node.operands) {
    if (operand.values == std::vector<std::string>{"unlimited"}) continue;
    words += separator;
    words += words_of(operand);
    separator = ", ";
  }
  return words;
}

std::string words_of(End end) {
  switch (end) {
    case End::ok:
      return "end: ok";
    case End::error:
      return "end: error";
    case End::not_followed:
      return "not followed";
  }
  return {};
}

std::string words_of(const ProgramGraph::Branch& branch) {
  return branch.sometimes ? "sometimes " + branch.label : branch.label;
}

std::string words_of(const Passages::Node& node) {
  return node.arrivals == 0 ? "never reached" : fmt::format("×{}", node.arrivals);
}

}  // namespace antiphon
