#include "verify/monitor.hpp"

#include <utility>

namespace antiphon::verify {

Monitor::Monitor(const Expectations& expectations, std::function<void(const Violation&)> alarm)
    : judge_(expectations), alarm_(std::move(alarm)) {}

void Monitor::give_back(ProcessId process) {
  if (process == last_) --last_;
}

void Monitor::write(const ProcessEvent& event) {
  judge_.see(event);
  raise_alarm(judge_.violations());
}

Verdict Monitor::finish(bool cut) {
  Verdict verdict = judge_.finish(cut);
  raise_alarm(verdict.violations);
  return verdict;
}

void Monitor::raise_alarm(const std::vector<Violation>& violations) {
  for (; told_ < violations.size(); ++told_) alarm_(violations[told_]);
}

}  // namespace antiphon::verify
