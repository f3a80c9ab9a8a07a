#include "verify/probe.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "verify/campaign.hpp"
#include "verify/probe_shrink.hpp"

namespace antiphon::verify {

namespace {

using Clock = std::chrono::steady_clock;

/// Fewer milliseconds are no time for a run.
constexpr std::int64_t least_ms = 50;
/// So often is asked whether the server still serves, before it counts as gone.
constexpr int most_calls = 3;
/// What was found is run again until it was seen so often, or so many runs were made.
constexpr std::uint32_t enough_seen = 2;
constexpr std::uint32_t most_reruns = 3;
/// Shrinking may take an eighth of all the time.
constexpr std::int64_t shares = 8;

class Probe {
 public:
  Probe(const RunClients& run, const ProbeOptions& options)
      : run_clients_(run), options_(options), end_(Clock::now() + std::chrono::milliseconds(options.timeout_ms)) {}

  ProbeResult result() {
    result_.unreachable = refusal();
    if (result_.unreachable) return std::move(result_);
    for (const Promise& promise : promises(options_.expected)) {
      const std::vector<Visit>& visits = promise.visits;
      std::size_t next = 0;
      try_promise(promise.name, promise.text,
                  [&] { return next < visits.size() ? std::optional(visits[next++]) : std::nullopt; });
    }
    if (options_.runs > 0) {
      std::uint64_t run = 0;
      try_promise(random_promise, random_promise_text,
                  [&] { return run++ < options_.runs ? std::optional(drawn(run)) : std::nullopt; });
    }
    result_.ruling = ruling();
    return std::move(result_);
  }

 private:
  // -- runs -----------------------------------------------------------------------------------------------------

  struct Tried {
    ClientsRun run;
    ProbeVerdict verdict;
  };

  [[nodiscard]] std::int64_t left_ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now()).count();
  }
  [[nodiscard]] bool time_is_up() const { return left_ms() < least_ms; }

  ClientsRun let_loose(const Visit& visit) const { return run_clients_(visit, std::min(visit.limit_ms, left_ms())); }

  Tried run(const Visit& visit) {
    Tried tried;
    tried.run = let_loose(visit);
    tried.verdict = judge_clients(visit, tried.run);
    std::erase_if(tried.verdict.faults, [&](const Fault& fault) { return is_beside_the_point(fault.failing); });
    return tried;
  }

  /// How connections end is no concern of the first promise, and is known once the second is broken.
  [[nodiscard]] bool is_beside_the_point(Failing failing) const {
    if (failing != Failing::not_ended && failing != Failing::reset_at_end) return false;
    const auto& tried = result_.promises;
    return tried.size() == 1 || (tried.size() > 2 && tried[1].finding && tried[1].finding->fault.failing == failing);
  }

  /// A run that must show a fault of one kind.
  std::optional<Tried> run_again(const Visit& visit, Failing failing) {
    Tried tried = run(visit);
    std::erase_if(tried.verdict.faults, [&](const Fault& fault) { return fault.failing != failing; });
    if (tried.verdict.faults.empty()) return std::nullopt;
    return tried;
  }

  [[nodiscard]] Visit drawn(std::uint64_t number) const {
    Generation generation;
    generation.faults = *faults_named("reset");
    return visit_of(options_.expected, scenario_of_run(generation, options_.seed, number).clients);
  }

  /// A client without company.
  ClientsRun send_one(Script script) { return let_loose(visit_of(options_.expected, {std::move(script)})); }

  /// Nobody is let in.
  std::optional<Errno> refusal() {
    const ClientView view = send_one({script::Connect{}, script::Reset{}}).views.front();
    const bool timed_out = view.unconnected == Errno::EXPIRED || view.unconnected == Errno::STOPPING;
    return timed_out ? std::nullopt : view.unconnected;
  }

  // -- promises -------------------------------------------------------------------------------------------------

  template <class NextVisit>
  void try_promise(std::string_view name, std::string_view text, NextVisit next_visit) {
    if (options_.progress) options_.progress("trying " + std::string(name));
    PromiseResult& result =
        result_.promises.emplace_back(PromiseResult{name, text, Ruling::incomplete, nothing_more_, {}});
    if (!result.why.empty()) return;
    while (const auto visit = next_visit()) {
      if (time_is_up()) result.why = "the time was up";
      if (!result.why.empty()) return;
      try_visit(*visit, result);
      if (result.finding || !result.why.empty()) return;
    }
    result.ruling = Ruling::holds;
  }

  void try_visit(const Visit& visit, PromiseResult& result) {
    Tried tried = run(visit);
    if (result.name == "idle") result_.held_idle_client = !tried.run.views.front().is_let_go();
    // Of a server that has not kept its first promise, silence says nothing new.
    const bool has_served = result_.promises.size() > 1 || tried.verdict.faults.empty();
    if (has_served ? !still_serves() : refusal().has_value()) return gone(visit, std::move(tried), result);
    if (!tried.verdict.faults.empty()) return examine(visit, std::move(tried), result);
    if (!tried.verdict.unjudged.empty()) result.why = tried.verdict.unjudged.front();
  }

  /// The visit was the last. It cannot be tried again.
  void gone(const Visit& visit, Tried tried, PromiseResult& result) {
    nothing_more_ = "nobody is served any more";
    Fault fault{visit.clients.size() - 1, Failing::gone, "serves nobody after that", ""};
    if (!tried.verdict.faults.empty()) fault = tried.verdict.faults.front();
    violated({visit, std::move(tried.run), std::move(fault)}, result);
  }

  /// One of a few clients is answered; or there was no time to see that none is.
  bool still_serves() {
    for (int call = 0; call < most_calls; ++call) {
      const ClientsRun run = send_one({script::Connect{}, script::Send{1}, script::Await{1}, script::Reset{}});
      if (run.views.front().conversation.sent() > 0 || !run.had_its_time) return true;
    }
    return false;
  }

  void violated(ProbeFinding finding, PromiseResult& result) {
    result.finding = std::move(finding);
    result.ruling = Ruling::violated;
    // Who does not answer one client has nothing to be asked about many.
    if (result_.promises.size() == 1 && nothing_more_.empty()) nothing_more_ = "'echo' does not hold";
  }

  /// Shrinks what failed, and runs it again.
  void examine(const Visit& visit, Tried tried, PromiseResult& result) {
    const Fault fault = tried.verdict.faults.front();
    const auto until = std::min(end_, Clock::now() + std::chrono::milliseconds(options_.timeout_ms / shares));
    const auto fails = [&](const Visit& candidate) {
      return run_again(candidate, fault.failing) && run_again(candidate, fault.failing);
    };
    const Shrunk shrunk = shrink_visit(visit, fails, [&] { return Clock::now() >= until || time_is_up(); });
    ProbeFinding finding{shrunk.visit, {}, fault, shrunk.runs};
    confirm(finding);
    if (finding.seen < enough_seen) {
      // What is small may fail more seldom.
      ProbeFinding as_it_was{visit, {}, fault, shrunk.runs};
      confirm(as_it_was);
      if (as_it_was.seen > finding.seen) finding = std::move(as_it_was);
    }
    if (finding.seen > 0) return violated(std::move(finding), result);
    result.why = time_is_up() ? "it failed, but there was no time to see it again"
                              : "it failed once, and not again: " + sentence(fault);
  }

  /// Runs it again: does it fail again?
  void confirm(ProbeFinding& finding) {
    while (finding.seen < enough_seen && finding.tried < most_reruns && !time_is_up()) {
      ++finding.tried;
      auto tried = run_again(finding.visit, finding.fault.failing);
      if (!tried) continue;
      ++finding.seen;
      finding.fault = tried->verdict.faults.front();
      finding.run = std::move(tried->run);
    }
  }

  [[nodiscard]] Ruling ruling() const {
    const auto any = [&](Ruling one) {
      return std::ranges::any_of(result_.promises, [=](const PromiseResult& result) { return result.ruling == one; });
    };
    if (any(Ruling::violated)) return Ruling::violated;
    return any(Ruling::incomplete) ? Ruling::incomplete : Ruling::holds;
  }

  const RunClients& run_clients_;
  const ProbeOptions& options_;
  Clock::time_point end_;
  std::string nothing_more_;  ///< Why no further promise is tried.
  ProbeResult result_;
};

}  // namespace

ProbeResult probe(const RunClients& run, const ProbeOptions& options) { return Probe(run, options).result(); }

}  // namespace antiphon::verify
