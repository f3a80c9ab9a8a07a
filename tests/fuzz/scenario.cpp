// Bytes are a scenario. Every program of the catalogue runs in it, and its run is judged.

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
    return all;
  }();
  const Scenario scenario = scenario_from(input);
  for (const Subject& subject : subjects) try_scenario(subject, scenario);
}

}  // namespace antiphon::fuzz
