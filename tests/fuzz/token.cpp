// Replay tokens: as they are, and with a checksum that is right, so that what is behind it is seen too. What is taken
// can be run.

#include "verify/token.hpp"

#include <string>

#include "core/programs/catalogue.hpp"
#include "interpreters/simulated.hpp"
#include "tests/fuzz/harness.hpp"
#include "tests/verify/tokens.hpp"

namespace antiphon::fuzz {

namespace {

constexpr std::string_view identity = "0123456789ab";
constexpr std::uint64_t most_steps = 2'000;

/// There is one way to write a scenario.
void try_token(std::string_view token, std::string_view program) {
  const auto scenario = verify::scenario_of(token, program, identity);
  if (!scenario) return demand(!scenario.error().empty(), "a token is refused without a reason");
  demand(verify::token_of(*scenario, program, identity) == token, "a token that was read is written otherwise");
  demand(!verify::beyond_bounds(*scenario), "a scenario beyond all bounds is taken");
  const Run run = simulate(*program_named(program), *scenario, most_steps);
  demand(run.steps <= most_steps, "a run has more steps than it may");
}

}  // namespace

void try_input(std::string_view input) {
  for (const std::string_view program : program_names) try_token(input, program);
  try_token(verify::with_checksum("a3-stream-" + std::string(identity) + "-" + std::string(input)), "stream");
}

}  // namespace antiphon::fuzz
