#include "verify/nearest.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "interpreters/simulated.hpp"
#include "verify/campaign.hpp"
#include "verify/schedule.hpp"
#include "verify/table.hpp"

namespace antiphon::verify {

namespace {

using Trace = std::vector<Event>;

constexpr std::uint64_t most_tries = 2'000;
constexpr std::uint64_t most_events = 400'000;

std::string what_comes(const Trace& trace, std::size_t event) {
  return event < trace.size() ? cell_of(trace[event]) : "nothing more happens";
}

class Search {
 public:
  Search(const Server& server, const Scenario& failing, const Expectations& expectations, std::string_view clause)
      : server_(server),
        expectations_(expectations),
        clause_(clause),
        scenario_(failing),
        values_(most_alternatives(failing)),
        failing_(simulate(server, failing).trace) {}

  Nearest result() {
    for (std::size_t at = scenario_.choices.size(); at-- > 0 && !over();) vary(scenario_, at, 1);
    for (std::size_t first = scenario_.choices.size(); first-- > 0 && !over();) vary_two(first);
    return std::move(nearest_);
  }

 private:
  [[nodiscard]] bool over() const { return nearest_.parting || nearest_.tried >= most_tries || events_ >= most_events; }

  /// Of the schedules that have another choice at this place, the one that keeps the clause and parts latest. Different
  /// numbers may stand for the same choice, and different choices may be the same to see: each trace counts once.
  void vary(const Scenario& from, std::size_t at, int choices) {
    std::vector<Trace> seen{failing_};
    Scenario other = from;
    for (std::uint32_t value = 0; value < values_; ++value) {
      other.choices[at] = value;
      if (value == from.choices[at]) continue;
      Judged judged = run_and_judge(server_, other, expectations_);
      events_ += judged.run.trace.size();
      if (std::ranges::find(seen, judged.run.trace) != seen.end()) continue;
      seen.push_back(judged.run.trace);
      ++nearest_.tried;
      if (judged.verdict.remarks.empty() && violation_of(judged.verdict, clause_) == nullptr) {
        take(other, judged.run.trace, choices);
      }
    }
  }

  void vary_two(std::size_t first) {
    for (std::size_t second = scenario_.choices.size(); second-- > first + 1 && !over();) {
      for (std::uint32_t value = 0; value < values_ && !over(); ++value) {
        Scenario from = scenario_;
        if (std::exchange(from.choices[first], value) != value) vary(from, second, 2);
      }
    }
  }

  void take(const Scenario& passing, const Trace& trace, int choices) {
    const auto event = static_cast<std::size_t>(std::ranges::mismatch(failing_, trace).in1 - failing_.begin());
    if (nearest_.parting && nearest_.parting->event >= event) return;
    nearest_.parting = {passing, choices, event, what_comes(failing_, event), what_comes(trace, event)};
  }

  const Server& server_;
  const Expectations& expectations_;
  std::string_view clause_;
  Scenario scenario_;
  std::uint32_t values_;
  Trace failing_;
  Nearest nearest_;
  std::uint64_t events_ = 0;
};

}  // namespace

Nearest nearest_passing(const Server& server, const Scenario& failing, const Expectations& expectations,
                        std::string_view clause) {
  return Search(server, written_out(server, failing), expectations, clause).result();
}

}  // namespace antiphon::verify
