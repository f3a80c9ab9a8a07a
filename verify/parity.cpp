#include "verify/parity.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>
#include <variant>

#include "interpreters/free_address.hpp"
#include "verify/shrink.hpp"
#include "verify/table.hpp"

namespace antiphon::verify {

namespace {

/// Where the two part a performance takes a while.
constexpr std::uint64_t most_shrinking_runs = 60;
constexpr std::chrono::seconds longest_shrinking{30};
constexpr std::uint64_t most_planted_runs = 20;
constexpr std::uint64_t progress_every = 10;

class Campaign {
 public:
  Campaign(const MakeServer& make, const ParityOptions& options)
      : make_(make),
        options_(options),
        sometimes_(SometimesTable::of_limits(options.generation, options.expectations)) {}

  ParityResult result() {
    look_for_planted_differences();
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
    if (performance.cut_short) ++result_.cut_short;
    if (performance.once && ++result_.tried_again == 1) result_.once = {drawn, *performance.once, run, 0};
    if (performance.difference) result_.gap = shrunk({drawn, *performance.difference, run, 0});
    const bool is_whole = !performance.cut_short && !performance.difference;
    const Verdict verdict = judged(std::move(performance.run), options_.expectations).verdict;
    add_to(result_.total, verdict.tally);
    // Where the two have parted, what clients did is not known, and so not whose fault it is what comes of it.
    if (!is_whole) return;
    sometimes_.count(drawn, verdict.tally);
    if (verdict.ruling == Ruling::incomplete) ++result_.incomplete_runs;
    for (const Violation& violation : verdict.violations) note(violation.clause.name, drawn, run);
  }

  void note(std::string_view clause, const Scenario& drawn, std::uint64_t run) {
    if (!found_.insert(clause).second) return;
    options_.progress("shrinking a violation of " + std::string(clause));
    const Server server = make_({"127.0.0.1", 8888});
    if (violation_of(run_and_judge(server, drawn, options_.expectations).verdict, clause) == nullptr) {
      result_.remarks.push_back("run " + std::to_string(run) + " breaks '" + std::string(clause) +
                                "' on the kernel, and not in the simulation");
      return;
    }
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
  void look_for_planted_differences() {
    options_.progress("looking for planted differences");
    for (std::uint64_t run = 1; run <= most_planted_runs && !result_.planted_found; ++run) {
      const Server server = make_(free_address());
      const auto all = spoiled(score_of(server, scenario(run)));
      result_.planted_found =
          all.size() == 2 && std::ranges::all_of(all, [&](const Spoiled& one) {
            const auto difference = perform(server, one.score, options_.stage).difference;
            return difference && difference->place == one.place && difference->simulated == one.simulated;
          });
    }
  }

  void rule() {
    if (!result_.planted_found) result_.remarks.emplace_back("the planted differences were not found");
    if (result_.incomplete_runs > 0) {
      result_.remarks.push_back(std::to_string(result_.incomplete_runs) + " runs did not come to rest");
    }
    result_.sometimes = sometimes_.rows();
    std::ranges::move(never_happened(result_.sometimes), std::back_inserter(result_.remarks));
    if (result_.cut_short == result_.runs) result_.remarks.emplace_back("no run was compared to its end");
    result_.ruling = result_.remarks.empty() ? Ruling::holds : Ruling::incomplete;
    if (result_.gap || !result_.findings.empty()) result_.ruling = Ruling::violated;
  }

  const MakeServer& make_;
  const ParityOptions& options_;
  SometimesTable sometimes_;
  std::set<std::string_view> found_;
  ParityResult result_;
};

Bytes with_one_wrong(const Bytes& bytes) {
  std::string content(bytes.content());
  content.front() = content.front() == '!' ? '?' : '!';
  return Bytes::copy_of(content);
}

/// False: it is no Recv that brought something.
bool spoil_recv(Event& event) {
  auto* const of_process = std::get_if<ProcessEvent>(&event);
  auto* const recv = of_process == nullptr ? nullptr : exchange_of<Recv>(*of_process);
  if (recv == nullptr || !recv->response || !*recv->response || (*recv->response)->empty()) return false;
  recv->response = with_one_wrong(**recv->response);
  return true;
}

/// False: no client receives something in it.
bool spoil_received(Event& event) {
  auto* const of_client = std::get_if<ClientEvent>(&event);
  if (of_client == nullptr || of_client->kind != ClientEvent::Kind::received) return false;
  of_client->bytes = with_one_wrong(of_client->bytes);
  return true;
}

}  // namespace

std::vector<Spoiled> spoiled(const Score& score) {
  std::vector<Spoiled> all;
  bool of_server = false;
  bool of_client = false;
  for (std::size_t step = 0; step < score.steps.size(); ++step) {
    const auto* const there = std::get_if<Event>(&score.steps[step].what);
    if (there == nullptr) continue;
    Event event = *there;
    std::string place;
    if (!of_server && spoil_recv(event)) {
      of_server = true;
      place = place_of(std::get<ProcessEvent>(event));
    } else if (!of_client && spoil_received(event)) {
      of_client = true;
      place = "client " + std::to_string(std::get<ClientEvent>(event).client);
    } else {
      continue;
    }
    all.push_back({score, place, cell_of(event)});
    all.back().score.steps[step].what = std::move(event);
  }
  return all;
}

ParityResult check_parity(const MakeServer& make, const ParityOptions& options) {
  return Campaign(make, options).result();
}

}  // namespace antiphon::verify
