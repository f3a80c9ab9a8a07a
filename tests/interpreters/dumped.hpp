#pragma once

#include <map>
#include <string_view>
#include <utility>

#include "core/programs/catalogue.hpp"
#include "interpreters/dump.hpp"

/// What is dumped in tests: programs of which only the instructions matter, and the servers.

namespace antiphon {

inline Server ok() { return ret(Result<Unit>()); }

/// A program whose result does not matter, as a server that ends well.
template <class P>
Server served(P program) {
  return std::move(program) >> [](const auto&) { return ok(); };
}

/// The server's graph, walked once.
inline const ProgramGraph& graph_named(std::string_view name) {
  static std::map<std::string_view, ProgramGraph> graphs;
  const auto [graph, is_new] = graphs.try_emplace(name);
  if (is_new) graph->second = graph_of(*program_named(name));
  return graph->second;
}

}  // namespace antiphon
