#pragma once

#include <string_view>

#include "core/programs/server.hpp"
#include "interpreters/scenario.hpp"
#include "interpreters/simulated.hpp"
#include "verify/judge.hpp"

namespace antiphon::verify {

/// A scenario's run, judged.
struct Judged {
  Run run;
  Verdict verdict;
};
Judged judged(Run run, const Expectations& expectations);
Judged run_and_judge(const Server& server, const Scenario& scenario, const Expectations& expectations);

/// The violation of that clause, or nullptr.
const Violation* violation_of(const Verdict& verdict, std::string_view clause);

}  // namespace antiphon::verify
