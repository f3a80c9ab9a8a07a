#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <range/v3/view/enumerate.hpp>

#include "apps/verify_report_parts.hpp"

namespace antiphon {

namespace {

std::string share_text(const verify::Coverage::Share& share, std::string_view what) {
  return fmt::format("{} of {} {} ({} %)", share.reached, share.all, what,
                     share.all == 0 ? 100 : 100 * share.reached / share.all);
}

/// The responses of a branch that never came.
std::vector<std::string> never_answered(const verify::Coverage& coverage, std::size_t node, std::size_t branch) {
  std::vector<std::string> unmet;
  for (const auto [index, name] : coverage.graph().nodes[node].branches[branch].responses | ranges::views::enumerate) {
    if (coverage.answers(node, branch, index) == 0) unmet.push_back(name);
  }
  return unmet;
}

std::string text_of(const ProgramGraph::Target& target) {
  if (const auto* const node = std::get_if<std::size_t>(&target)) return fmt::format("#{}", *node + 1);
  return "the end";
}

std::string never_reached_at(const verify::Coverage& coverage, std::size_t index) {
  const ProgramGraph::Node& node = coverage.graph().nodes[index];
  const std::string head = fmt::format("    #{} {}  :{}", index + 1, node.instruction, node.line);
  if (coverage.arrivals(index) == 0) return head + ": never came here\n";
  std::string text;
  std::vector<std::string> errors;
  for (const auto [branch, one] : node.branches | ranges::views::enumerate) {
    if (coverage.passages(index, branch) == 0) {
      text += fmt::format("\n      {}: to {}", one.label, text_of(one.target));
    } else {
      for (std::string& name : never_answered(coverage, index, branch)) errors.push_back(std::move(name));
    }
  }
  std::ranges::sort(errors);
  errors.erase(std::ranges::unique(errors).begin(), errors.end());
  if (!errors.empty()) text += fmt::format("\n      never answered: {}", fmt::join(errors, ", "));
  return text.empty() ? "" : head + text + '\n';
}

Json share_json(const verify::Coverage::Share& share) { return {{"reached", share.reached}, {"all", share.all}}; }

Json branches_json(const verify::Coverage& coverage, std::size_t node) {
  Json list = Json::array();
  for (const auto [branch, one] : coverage.graph().nodes[node].branches | ranges::views::enumerate) {
    list.push_back({{"label", one.label},
                    {"passages", coverage.passages(node, branch)},
                    {"never_answered", never_answered(coverage, node, branch)}});
  }
  return list;
}

}  // namespace

std::string coverage_text(const verify::Coverage& coverage) {
  return fmt::format("  covered: {}, {}, {}\n", share_text(coverage.points(), "points"),
                     share_text(coverage.branches(), "branches"), share_text(coverage.errors(), "errors"));
}

std::string never_reached(const verify::Coverage& coverage) {
  std::string text;
  for (std::size_t index = 0; index < coverage.graph().nodes.size(); ++index) text += never_reached_at(coverage, index);
  return text.empty() ? "  nothing of the program was left out\n"
                      : "  never reached, by the numbers of echo-dump\n" + text;
}

Json coverage_json(const verify::Coverage& coverage) {
  Json json{{"points", share_json(coverage.points())},
            {"branches", share_json(coverage.branches())},
            {"errors", share_json(coverage.errors())},
            {"nodes", Json::array()}};
  for (const auto [index, node] : coverage.graph().nodes | ranges::views::enumerate) {
    json["nodes"].push_back({{"instruction", node.instruction},
                             {"line", node.line},
                             {"arrivals", coverage.arrivals(index)},
                             {"branches", branches_json(coverage, index)}});
  }
  return json;
}

}  // namespace antiphon
