#include "verify/parity.hpp"

#include <chrono>
#include <set>
#include <string_view>
#include <utility>

#include "verify/shrink.hpp"

namespace antiphon::verify {

namespace {

/// Where the two part a performance takes a while.
constexpr std::uint64_t most_shrinking_runs = 60;
constexpr std::chrono::seconds longest_shrinking{30};
constexpr std::uint64_t most_spoiled_runs = 20;
constexpr std::uint64_t progress_every = 10;

class Campaign {
 public:
  Campaign(const MakeServer& make, const ParityOptions& options) : make_(make), options_(options) {}

  ParityResult result() {
    look_for_the_spoiled_byte();
    for (std::uint64_t run = 1; run <= options_.runs && !result_.gap; ++run) {
      if (run % progress_every == 1) {
        options_.progress(std::to_string(run - 1) + " of " + std::to_string(options_.runs) + " runs");
      }
      take(run);
    }
    rule();
    return std::move(result_);
  }

 private:
  [[nodiscard]] Scenario scenario(std::uint64_t run) const {
    return scenario_of_run(options_.generation, options_.seed, run);
  }

  void take(std::uint64_t run) {
    const Scenario drawn = scenario(run);
    Performance performance = perform(make_, drawn, options_.stage);
    ++result_.runs;
    result_.steps += performance.steps;
    result_.given += performance.given;
    if (performance.cut_short) {
      ++result_.cut_short;
    } else if (!performance.difference && performance.tries > 1) {
      ++result_.tried_again;
    }
    if (performance.difference) result_.gap = shrunk({drawn, *performance.difference, run, 0});
    const bool is_cut = performance.cut_short;
    const Verdict verdict = judged(std::move(performance.run), options_.expectations).verdict;
    if (verdict.ruling == Ruling::incomplete && !is_cut) ++result_.incomplete_runs;
    add_to(result_.total, verdict.tally);
    for (const Violation& violation : verdict.violations) note(violation.clause.name, drawn, run);
  }

  void note(std::string_view clause, const Scenario& drawn, std::uint64_t run) {
    if (!found_.insert(clause).second) return;
    options_.progress("shrinking a violation of " + std::string(clause));
    const Server server = make_({"127.0.0.1", 8888});
    // What the simulation does not show is a gap, or comes of one.
    if (violation_of(run_and_judge(server, drawn, options_.expectations).verdict, clause) == nullptr) return;
    Finding finding = minimised(server, options_.expectations, drawn, clause);
    finding.found_in_run = run;
    const Judged again = judged(perform(make_, finding.scenario, options_.stage).run, options_.expectations);
    result_.findings.push_back({std::move(finding), violation_of(again.verdict, clause) != nullptr});
  }

  ParityGap shrunk(ParityGap gap) {
    options_.progress("shrinking a difference");
    const auto end = std::chrono::steady_clock::now() + longest_shrinking;
    for (bool simpler_one = true; simpler_one;) {
      simpler_one = false;
      auto candidates = simpler(gap.scenario);
      while (auto candidate = candidates.next()) {
        if (gap.shrinking_runs == most_shrinking_runs || std::chrono::steady_clock::now() > end) return gap;
        ++gap.shrinking_runs;
        const Performance performance = perform(make_, *candidate, options_.stage);
        if (!performance.difference) continue;
        gap.scenario = *candidate;
        gap.difference = *performance.difference;
        simpler_one = true;
        break;
      }
    }
    return gap;
  }

  /// A comparison that lets this pass compares nothing.
  void look_for_the_spoiled_byte() {
    options_.progress("looking for a planted difference");
    for (std::uint64_t run = 1; run <= most_spoiled_runs && !result_.spoiled_found; ++run) {
      const Server server = make_(free_address());
      const auto score = spoiled(score_of(server, scenario(run)));
      result_.spoiled_found = score && perform(server, *score, options_.stage).difference.has_value();
    }
  }

  void rule() {
    if (!result_.spoiled_found) result_.remarks.emplace_back("a planted difference was not found");
    if (result_.incomplete_runs > 0) {
      result_.remarks.push_back(std::to_string(result_.incomplete_runs) + " runs did not come to rest");
    }
    if (result_.cut_short == result_.runs) result_.remarks.emplace_back("no run was compared to its end");
    result_.ruling = result_.remarks.empty() ? Ruling::holds : Ruling::incomplete;
    if (result_.gap || !result_.findings.empty()) result_.ruling = Ruling::violated;
  }

  const MakeServer& make_;
  const ParityOptions& options_;
  std::set<std::string_view> found_;
  ParityResult result_;
};

}  // namespace

std::optional<Score> spoiled(Score score) {
  for (Step& step : score.steps) {
    auto* const event = std::get_if<Event>(&step.what);
    auto* const of_process = event == nullptr ? nullptr : std::get_if<ProcessEvent>(event);
    auto* const recv = of_process == nullptr ? nullptr : exchange_of<Recv>(*of_process);
    if (recv == nullptr || !recv->response || !*recv->response || (*recv->response)->empty()) continue;
    std::string bytes((*recv->response)->content());
    bytes.front() = '!';
    recv->response = Bytes::copy_of(bytes);
    return score;
  }
  return std::nullopt;
}

ParityResult check_parity(const MakeServer& make, const ParityOptions& options) {
  return Campaign(make, options).result();
}

}  // namespace antiphon::verify
