#include "verify/monitor.hpp"

#include <new>
#include <utility>

namespace antiphon::verify {

Monitor::Monitor(const Expectations& expectations, std::function<void(const Violation&)> alarm,
                 std::function<void()> when_blind)
    : judge_(expectations), alarm_(std::move(alarm)), when_blind_(std::move(when_blind)) {}

void Monitor::give_back(ProcessId process) {
  if (process == last_) --last_;
}

void Monitor::write(const ProcessEvent& event) {
  if (is_blind_) return;
  try {
    judge_.see(event);
    raise_alarm(judge_.violations());
  } catch (const std::bad_alloc&) {
    // It knows half of what the event changed. To judge on would be to guess.
    go_blind();
  }
}

void Monitor::go_blind() {
  if (std::exchange(is_blind_, true)) return;
  if (when_blind_) when_blind_();
}

Verdict Monitor::finish(bool cut) {
  Verdict verdict = judge_.finish(cut || is_blind_);
  if (is_blind_) verdict.remarks.insert(verdict.remarks.begin(), "there was no memory to judge what followed");
  raise_alarm(verdict.violations);
  return verdict;
}

void Monitor::raise_alarm(const std::vector<Violation>& violations) {
  for (; told_ < violations.size(); ++told_) alarm_(violations[told_]);
}

}  // namespace antiphon::verify
