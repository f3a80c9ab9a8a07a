// Must crash: `scenario` with the original, held to what it does not keep.

#include "tests/fuzz/harness.hpp"
#include "tests/fuzz/scenarios.hpp"
#include "tests/fuzz/subject.hpp"

namespace antiphon::fuzz {

void try_input(std::string_view input) {
  static const Subject subject = [] {
    Subject one = subject_named("seed");
    one.keeps_all = true;
    return one;
  }();
  if (!input.empty()) try_scenario(subject, scenario_from(input.substr(1)));
}

}  // namespace antiphon::fuzz
