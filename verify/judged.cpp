#include "verify/judged.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace antiphon::verify {

Judged judged(Run run, const Expectations& expectations) {
  Judge judge(expectations);
  for (std::size_t index = 0; index < run.trace.size(); ++index) {
    judge.see(run.trace[index]);
    if (run.lap_from && index >= *run.lap_from) judge.note_lap();
  }
  Verdict verdict = run.lap_from ? judge.finish_endless() : judge.finish(!run.at_rest);
  return {std::move(run), std::move(verdict)};
}

Judged run_and_judge(const Server& server, const Scenario& scenario, const Expectations& expectations) {
  return judged(simulate(server, scenario), expectations);
}

const Violation* violation_of(const Verdict& verdict, std::string_view clause) {
  const auto found = std::ranges::find_if(verdict.violations,
                                          [&](const Violation& violation) { return violation.clause.name == clause; });
  return found == verdict.violations.end() ? nullptr : &*found;
}

}  // namespace antiphon::verify
