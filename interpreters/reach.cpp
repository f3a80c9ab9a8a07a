#include "interpreters/reach.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <range/v3/algorithm/any_of.hpp>
#include <range/v3/algorithm/contains.hpp>
#include <vector>

#include "interpreters/program_walk.hpp"

namespace antiphon {

namespace {

using Target = ProgramGraph::Target;

/// The steps of a walked program, node by node.
class Steps {
 public:
  explicit Steps(const MappedGraph& mapped) : mapped_(mapped) {}

  /// All nodes that can be come to from `starts`; those not beyond a Listen that succeeded, if `before_listening`.
  [[nodiscard]] std::set<std::size_t> closure(std::vector<Target> starts, bool before_listening = false) const {
    std::set<std::size_t> found;
    while (!starts.empty()) {
      const auto* const node = std::get_if<std::size_t>(&starts.back());
      const bool is_new = node != nullptr && found.insert(*node).second;
      const std::size_t at = is_new ? *node : 0;
      starts.pop_back();
      if (!is_new) continue;
      for (std::size_t branch = 0; branch < branches(at).size(); ++branch) {
        if (before_listening && begins_to_listen(at, branch)) continue;
        starts.push_back(branches(at)[branch].target);
      }
    }
    return found;
  }

  /// Where a program goes on that has just begun to listen.
  [[nodiscard]] std::vector<Target> once_it_listens() const {
    std::vector<Target> targets;
    for (std::size_t node = 0; node < mapped_.graph.nodes.size(); ++node) {
      for (std::size_t branch = 0; branch < branches(node).size(); ++branch) {
        if (begins_to_listen(node, branch)) targets.push_back(branches(node)[branch].target);
      }
    }
    return targets;
  }

  [[nodiscard]] bool counts_addresses(const std::set<std::size_t>& nodes) const {
    return ranges::any_of(nodes, [&](std::size_t node) { return counts_addresses(mapped_.graph.nodes[node]); });
  }

  [[nodiscard]] InstructionNames names(const std::set<std::size_t>& nodes, const InstructionNames& all) const {
    InstructionNames names;
    for (const std::size_t node : nodes) names.insert(*all.find(mapped_.graph.nodes[node].instruction));
    return names;
  }

 private:
  static bool counts_addresses(const ProgramGraph::Node& node) {
    // (A Fork that limits nobody by address may have no such operand.)
    return node.instruction == Fork::name && ranges::any_of(node.operands, [](const ProgramGraph::Operand& operand) {
             return operand.name == "at_most_alike" && operand.values != std::vector<std::string>{"unlimited"};
           });
  }
  [[nodiscard]] const std::vector<ProgramGraph::Branch>& branches(std::size_t node) const {
    return mapped_.graph.nodes[node].branches;
  }
  [[nodiscard]] bool begins_to_listen(std::size_t node, std::size_t branch) const {
    if (mapped_.graph.nodes[node].instruction != Listen::name) return false;
    return ranges::contains(mapped_.classes[node][branch], ResponseClass(Success::done));
  }

  const MappedGraph& mapped_;
};

}  // namespace

Reach reach_of(const Server& program, const InstructionNames& bound, const GraphLimits& limits) {
  const MappedGraph mapped = mapped_graph_of(program, limits);
  if (const auto remarks = mapped.graph.remarks(); !remarks.empty()) {
    return {.anywhere = bound,
            .listening = bound,
            .counts_addresses = bound.contains(Fork::name),
            .why_not_exact = fmt::format("{}", fmt::join(remarks, "; "))};
  }
  // The names have to live for ever; those of the graph do not.
  const InstructionNames all = all_of(Net{});
  const Steps steps(mapped);
  const std::vector<Target> start{mapped.graph.start};
  const std::set<std::size_t> anywhere = steps.closure(start);
  const bool forks_before = steps.names(steps.closure(start, true), all).contains(Fork::name);
  const std::set<std::size_t> listening = forks_before ? anywhere : steps.closure(steps.once_it_listens());
  return {.anywhere = steps.names(anywhere, all),
          .listening = steps.names(listening, all),
          .counts_addresses = steps.counts_addresses(listening),
          .why_not_exact = ""};
}

}  // namespace antiphon
