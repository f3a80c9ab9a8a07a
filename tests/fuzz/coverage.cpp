// The reader of what `echo-verify properties --format json` prints.

#include <string>

#include "apps/coverage_file.hpp"
#include "core/programs/catalogue.hpp"
#include "interpreters/dump.hpp"
#include "tests/fuzz/harness.hpp"

namespace antiphon::fuzz {

void try_input(std::string_view input) {
  static const ProgramGraph graph = graph_of(*program_named("seed"));
  const auto passages = read_coverage(file_of(input), "seed", graph);
  if (!passages) return demand_one_line(passages.error());
  demand(passages->nodes.size() == graph.nodes.size(), "coverage of another program is taken");
  demand(!dump(graph, DumpFormat::tree, *passages).empty(), "coverage that was read is not shown");
}

}  // namespace antiphon::fuzz
