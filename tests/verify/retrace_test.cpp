#include "verify/retrace.hpp"

#include <string>
#include <variant>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "interpreters/simulated.hpp"
#include "tests/rapidcheck.hpp"
#include "tests/verify/history.hpp"
#include "verify/generate.hpp"

namespace antiphon::verify {
namespace {

std::vector<ProcessEvent> of_processes(const std::vector<Event>& trace) {
  std::vector<ProcessEvent> events;
  for (const Event& event : trace) {
    if (const auto* const one = std::get_if<ProcessEvent>(&event)) events.push_back(*one);
  }
  return events;
}

/// "found", or where they part.
std::string outcome(const Server& server, const std::vector<ProcessEvent>& record) {
  const auto retraced = retrace(server, record);
  if (!retraced) return retraced.error();
  if (retraced->scenario) return "found";
  const SimulatorParting& parting = *retraced->parting;
  return std::to_string(parting.at.process) + "." + std::to_string(parting.at.event) + ": " + parting.sentence;
}

TEST(Retrace, FindsEveryRunOfTheSimulator) {
  EXPECT_TRUE(holds([](std::uint64_t seed, bool faulty) {
    const Scenario scenario = draw({4, std::vector<bool>(fault_classes().size(), faulty)}, seed);
    for (const std::string_view program : program_names) {
      const Server server = *program_named(program);
      RC_ASSERT(outcome(server, of_processes(simulate(server, scenario).trace)) == "found");
    }
  }));
}

}  // namespace
}  // namespace antiphon::verify
