#include <nlohmann/json.hpp>
#include <range/v3/view/enumerate.hpp>

#include "interpreters/dump_formats.hpp"

namespace antiphon {

namespace {

using Json = nlohmann::ordered_json;

/// Raised whenever the same graph is written another way: it is a part of every identity.
constexpr int version = 1;

std::string_view name_of(End end) {
  switch (end) {
    case End::ok:
      return "ok";
    case End::error:
      return "error";
    case End::not_followed:
      return "not followed";
  }
  return "";
}

/// A node's number, or an end's name.
Json json_of(const ProgramGraph::Target& target) {
  if (const auto* const node = std::get_if<std::size_t>(&target)) return *node + 1;
  return name_of(std::get<End>(target));
}

Json json_of(std::size_t number, const ProgramGraph::Node& node, SourceLines lines) {
  Json json{{"number", number}, {"instruction", node.instruction}};
  if (lines == SourceLines::shown) json["line"] = node.line;
  if (!node.gives.empty()) json["gives"] = node.gives;
  json["operands"] = Json::object();
  for (const ProgramGraph::Operand& operand : node.operands) {
    json["operands"][operand.name] = operand.values;
  }
  json["looks_at_content"] = node.looks_at_content;
  json["states"] = node.states;
  json["more_states"] = node.more_states;
  return json;
}

Json json_of(std::size_t from, const ProgramGraph::Branch& branch) {
  return {{"from", from},
          {"to", json_of(branch.target)},
          {"label", branch.label},
          {"responses", branch.responses},
          {"sometimes", branch.sometimes}};
}

}  // namespace

std::string dump_json(const ProgramGraph& graph, SourceLines lines) {
  Json nodes = Json::array();
  Json edges = Json::array();
  for (const auto& [index, node] : graph.nodes | ranges::views::enumerate) {
    nodes.push_back(json_of(index + 1, node, lines));
    for (const ProgramGraph::Branch& branch : node.branches) {
      edges.push_back(json_of(index + 1, branch));
    }
  }
  const std::vector<std::string> remarks = graph.remarks();
  const Json json{{"version", version}, {"start", json_of(graph.start)}, {"nodes", nodes},
                  {"edges", edges},     {"complete", remarks.empty()},   {"remarks", remarks}};
  using Handler = nlohmann::ordered_json::error_handler_t;
  return json.dump(2, ' ', false, Handler::replace) + "\n";
}

}  // namespace antiphon
