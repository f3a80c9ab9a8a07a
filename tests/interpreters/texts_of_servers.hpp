#pragma once

#include <string>
#include <string_view>

#include "core/programs/catalogue.hpp"
#include "interpreters/dump.hpp"

namespace antiphon {

/// Every dump of every server, and their identities: what no compiler may change.
inline std::string texts_of_servers() {
  ProgramOptions options;
  options.session.at_most = 16;  // Short messages make short work of the walk.
  std::string text;
  for (const std::string_view name : program_names) {
    const ProgramGraph graph = graph_of(*program_named(name, options));
    text += identity_of(graph) + "\n";
    for (const std::string_view format : dump_format_names) text += dump(graph, *dump_format_named(format));
  }
  return text;
}

}  // namespace antiphon
