// Must crash: `scenario` with a server that sends every message twice.

#include "verify/planted.hpp"

#include <algorithm>

#include "tests/fuzz/harness.hpp"
#include "tests/fuzz/scenarios.hpp"
#include "tests/fuzz/subject.hpp"

namespace antiphon::fuzz {

void try_input(std::string_view input) {
  static const Subject subject = [] {
    const auto all = verify::planted_violations();
    const auto planted = std::ranges::find(all, "echo", &verify::Planted::clause);
    Subject one = subject_named("stream");
    one.server = planted->server;
    return one;
  }();
  if (!input.empty()) try_scenario(subject, scenario_from(input.substr(1)));
}

}  // namespace antiphon::fuzz
