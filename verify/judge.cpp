#include "verify/judge.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "interpreters/birth_order.hpp"
#include "verify/echo_contract.hpp"
#include "verify/watcher.hpp"

namespace antiphon::verify {

namespace {

template <class C>
struct ClausesOf {
  static void collect(std::vector<Clause>& clauses) { clauses.push_back(C::clause); }
};
template <class A, class B>
struct ClausesOf<Product<A, B>> {
  static void collect(std::vector<Clause>& clauses) {
    ClausesOf<A>::collect(clauses);
    ClausesOf<B>::collect(clauses);
  }
};
template <class A, class B>
struct ClausesOf<Shared<A, B>> : ClausesOf<Product<A, B>> {};

std::string who(const Event& event) {
  if (const auto* const of_process = std::get_if<ProcessEvent>(&event)) {
    std::string text =
        "process " + std::to_string(of_process->process) + ", event " + std::to_string(of_process->number);
    if (const auto* const issued = std::get_if<Issued>(&of_process->what)) {
      std::visit([&]<class I>(const Exchange<I>&) { text += " (" + std::string(I::name) + ")"; }, issued->exchange);
    }
    return text + ": ";
  }
  return "";
}

}  // namespace

struct Judge::State {
  explicit State(const Expectations& expectations)
      : watcher(echo_server_on_kernel(expectations), expectations.workers), places(expectations.places()) {}

  std::optional<ProcessId> see(const Event& event);
  void take(const Event& event);
  void count(const ProcessEvent& event);
  void blame(const Event* event);
  Verdict ruled();

  [[nodiscard]] const Family& family() const { return watcher.family(); }

  Watcher<EchoServerOnKernel> watcher;
  Places places;
  Report report;
  Verdict verdict;
  BirthOrder order;
  std::optional<std::vector<Breach>> lasting;  ///< Of the lap.
};

void Judge::State::blame(const Event* event) {
  const auto* const of_process = event == nullptr ? nullptr : std::get_if<ProcessEvent>(event);
  for (std::size_t index = verdict.violations.size(); index < report.breaches().size(); ++index) {
    const Breach& breach = report.breaches()[index];
    Violation violation{breach.clause, breach.party, (event == nullptr ? "" : who(*event)) + breach.sentence,
                        verdict.tally.events, std::nullopt};
    if (of_process != nullptr) violation.at = {of_process->process, of_process->number};
    verdict.violations.push_back(std::move(violation));
  }
}

void Judge::State::count(const ProcessEvent& event) {
  Tally& tally = verdict.tally;
  const auto* const issued = std::get_if<Issued>(&event.what);
  if (issued == nullptr) return;
  std::visit(
      [&]<class I>(const Exchange<I>& exchange) {
        if (!exchange.response) return;
        if (!exchange.response->has_value()) {
          ++tally.errors;
          if constexpr (std::same_as<I, Send>) {
            if (is_ended_by_alarm(exchange, family().process(event.process)->alarm_ms)) ++tally.alarms;
          }
        } else if constexpr (std::same_as<I, Accept>) {
          ++tally.connections;
        } else if constexpr (std::same_as<I, Recv>) {
          tally.bytes_received += (*exchange.response)->size();
          if ((*exchange.response)->size() == exchange.instruction.at_most) ++tally.full_reads;
        } else if constexpr (std::same_as<I, Send>) {
          tally.bytes_sent += **exchange.response;
          if (**exchange.response < exchange.instruction.bytes.size()) ++tally.short_sends;
        }
      },
      issued->exchange);
}

void Judge::State::take(const Event& event) {
  watcher.see(event, report, [&](const Seen& seen) {
    if (report.breaches().size() > verdict.violations.size()) blame(&event);
    for (const ConnectionId id : seen.last_releases) {
      const Excuse excuse = seen.excuse(*family().connection(id), places);
      ++verdict.tally.excuses.at(static_cast<std::size_t>(excuse));
    }
    if (std::holds_alternative<StopEvent>(event) && family().connections().size() > 0) {
      verdict.tally.stopped_while_serving = true;
    }
  });
  ++verdict.tally.events;
  verdict.tally.at_once = std::max<std::uint64_t>(verdict.tally.at_once, family().connections().size());
}

Judge::Judge(const Expectations& expectations) : state_(std::make_unique<State>(expectations)) {
  state_->verdict.tally.processes = expectations.workers;
}
Judge::~Judge() = default;
Judge::Judge(Judge&&) noexcept = default;
Judge& Judge::operator=(Judge&&) noexcept = default;

std::optional<ProcessId> Judge::State::see(const Event& event) {
  const auto* const of_process = std::get_if<ProcessEvent>(&event);
  if (of_process == nullptr) {
    take(event);
    return std::nullopt;
  }
  const ProcessId id = of_process->process;
  if (family().process(id)->waiting) {
    verdict.remarks.push_back("process " + std::to_string(id) +
                              " goes on after an instruction that was never answered");
  }
  const auto* const issued = std::get_if<Issued>(&of_process->what);
  const auto child = issued == nullptr ? std::nullopt : issued->child;
  if (child && family().process(*child) != nullptr) {
    verdict.remarks.push_back("process " + std::to_string(*child) + " is made twice");
  }
  count(*of_process);
  take(event);
  if (child) ++verdict.tally.processes;
  return child;
}

void Judge::see(const Event& event) {
  state_->order.see(
      event, [&](ProcessId process) { return state_->family().process(process) != nullptr; },
      [&](const Event& next) { return state_->see(next); });
}

const std::vector<Violation>& Judge::violations() const { return state_->verdict.violations; }

Verdict Judge::finish(bool cut) {
  State& state = *state_;
  Verdict& verdict = state.verdict;
  if (cut) verdict.remarks.emplace_back("the record is cut off");
  for (const auto& [id, events] : state.order.unborn()) {
    verdict.remarks.push_back("process " + std::to_string(id) +
                              " has events, and the Fork that it comes from is missing");
  }
  state.family().processes().for_each([&](ProcessId id, const ProcessState& process) {
    if (!process.waiting) verdict.remarks.push_back("the end of process " + std::to_string(id) + " is missing");
  });
  if (verdict.remarks.empty()) {
    state.watcher.at_end(state.report);
    state.blame(nullptr);
  }
  std::ranges::copy(state.report.open(), std::back_inserter(verdict.remarks));
  return state.ruled();
}

Verdict Judge::State::ruled() {
  verdict.ruling = !verdict.violations.empty() ? Ruling::violated
                   : verdict.remarks.empty()   ? Ruling::holds
                                               : Ruling::incomplete;
  return std::move(verdict);
}

void Judge::note_lap() {
  Report report;
  state_->watcher.while_endless(report);
  auto& lasting = state_->lasting;
  if (!lasting) lasting = report.breaches();
  keep_lasting(*lasting, report.breaches());
}

Verdict Judge::finish_endless() {
  State& state = *state_;
  for (const Breach& one : state.lasting.value_or(std::vector<Breach>())) {
    state.report.breach(one.clause, one.party, one.sentence);
  }
  state.blame(nullptr);
  state.verdict.remarks.emplace_back("the run goes on for ever");
  return state.ruled();
}

Verdict judge(const std::vector<Event>& trace, const Expectations& expectations) {
  Judge judge(expectations);
  for (const Event& event : trace) judge.see(event);
  return judge.finish();
}

std::vector<Clause> all_clauses() {
  std::vector<Clause> clauses;
  ClausesOf<EchoServerOnKernel>::collect(clauses);
  return clauses;
}

std::vector<std::string_view> not_asked(const Expectations& expectations) {
  std::vector<std::string_view> names;
  if (expectations.idle_ms == forever_ms) names.push_back(IdleLimit::clause.name);
  if (expectations.progress_ms == forever_ms) names.push_back(ProgressLimit::clause.name);
  return names;
}

std::string_view name_of(Ruling ruling) {
  static constexpr std::array<std::string_view, 3> names{"holds", "violated", "incomplete"};
  return names.at(static_cast<std::size_t>(ruling));
}

std::string_view name_of(Excuse excuse) {
  static constexpr std::array<std::string_view, excuse_kinds> names{"none", "reset", "deadline", "drain", "refused"};
  return names.at(static_cast<std::size_t>(excuse));
}

}  // namespace antiphon::verify
