// Bytes are a program of the catalogue, one of them with limits, and a scenario. It runs there, and its run is judged.

#include <vector>

#include "core/programs/catalogue.hpp"
#include "tests/fuzz/harness.hpp"
#include "tests/fuzz/scenarios.hpp"
#include "tests/fuzz/subject.hpp"

namespace antiphon::fuzz {

void try_input(std::string_view input) {
  static const std::vector<Subject> subjects = [] {
    std::vector<Subject> all;
    for (const std::string_view name : program_names) all.push_back(subject_named(std::string(name)));
    ProgramOptions limited;
    limited.server.max_per_address = 1;
    limited.session.progress_ms = 30'000;
    all.push_back(subject_named("stream", limited));
    return all;
  }();
  if (input.empty()) return;
  const Subject& subject = subjects.at(static_cast<unsigned char>(input.front()) % subjects.size());
  try_scenario(subject, scenario_from(input.substr(1)));
}

}  // namespace antiphon::fuzz
