#include <gtest/gtest.h>

#include <string_view>

#include "core/programs/catalogue.hpp"
#include "verify/mutants.hpp"

namespace antiphon::verify {
namespace {

TEST(MutantsSlow, AreAsFiniteAsTheOriginal) {
  ProgramOptions options;
  options.session.at_most = 2;
  for (const std::string_view program : {"stream", "seed"}) {
    for (const Mutant& mutant : mutants_of(*program_named(program, options))) {
      // What is sent while a rest is doubled, for instance, is a state that the original has not.
      if (mutant.kind == MutantKind::swap) continue;
      for (const ProgramGraph::Node& node : graph_of(mutant.server).nodes) {
        EXPECT_FALSE(node.more_states) << program << ' ' << name_of(mutant);
      }
    }
  }
}

}  // namespace
}  // namespace antiphon::verify
