#include "verify/schedule.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "interpreters/simulated.hpp"
#include "verify/campaign.hpp"
#include "verify/table.hpp"

namespace antiphon::verify {

namespace {

using Choices = std::vector<std::uint32_t>;
using Trace = std::vector<Event>;

constexpr std::uint64_t most_calming_runs = 2'000;
constexpr std::uint64_t most_calming_events = 400'000;

Scenario with_choices(const Scenario& scenario, Choices choices) {
  Scenario other = scenario;
  other.choices = std::move(choices);
  return other;
}

/// What a reader of the table has to follow, the more important first. That switches come late is worth nothing by
/// itself; but a step that one choice puts off, and another again, at last stands beside others of its column.
struct Effort {
  std::size_t events = 0;
  std::uint64_t switches = 0;
  std::uint64_t earliness = 0;
  auto operator<=>(const Effort&) const = default;
};

Effort effort_of(const Trace& trace) {
  Effort effort{trace.size(), 0, 0};
  for (std::size_t index = 1; index < trace.size(); ++index) {
    if (same_column(trace[index - 1], trace[index])) continue;
    ++effort.switches;
    effort.earliness += trace.size() - index;
  }
  return effort;
}

/// Changes one choice at a time for as long as that helps.
class Calming {
 public:
  Calming(const Server& server, const Expectations& expectations, const Violation& violation, const Scenario& scenario)
      : server_(server), expectations_(expectations), violation_(violation), best_(scenario) {
    take(scenario.choices);
  }

  Calmer result() {
    best_ = written_out(server_, best_);
    while (round()) {
    }
    shorten();
    return {best_, runs_};
  }

 private:
  [[nodiscard]] bool spent() const { return runs_ >= most_calming_runs || events_ >= most_calming_events; }

  std::optional<Trace> breaking_trace(const Choices& choices) {
    Judged judged = run_and_judge(server_, with_choices(best_, choices), expectations_);
    ++runs_;
    events_ += judged.run.trace.size();
    const Violation* const found = violation_of(judged.verdict, violation_.clause.name);
    if (found == nullptr || found->sentence != violation_.sentence) return std::nullopt;
    return std::move(judged.run.trace);
  }

  /// Takes the schedule if it has the violation and is less effort to read.
  bool take(const Choices& choices) {
    auto trace = breaking_trace(choices);
    if (!trace) return false;
    const Effort effort = effort_of(*trace);
    if (effort_ && effort >= *effort_) return false;
    effort_ = effort;
    trace_ = std::move(*trace);
    best_.choices = choices;
    return true;
  }

  /// Another choice in one place; then the later ones as they are, or one place later, or the first thing each time.
  bool take_one_changed(std::size_t at, std::uint32_t value) {
    const auto place = static_cast<std::ptrdiff_t>(at);
    Choices same = best_.choices;
    same[at] = value;
    Choices later = best_.choices;
    later.insert(later.begin() + place, value);
    Choices first = same;
    std::fill(first.begin() + place + 1, first.end(), 0U);
    return take(same) || take(later) || take(first);
  }

  bool round() {
    bool helped = false;
    const std::uint32_t values = most_alternatives(best_);
    for (std::size_t at = 0; at < best_.choices.size() && !spent(); ++at) {
      Choices without = best_.choices;
      without.erase(without.begin() + static_cast<std::ptrdiff_t>(at));
      helped |= take(without);
      for (std::uint32_t value = 0; value < values && at < best_.choices.size() && !spent(); ++value) {
        helped |= take_one_changed(at, value);
      }
    }
    return helped && !spent();
  }

  bool is_same(const Choices& choices) {
    ++runs_;
    return simulate(server_, with_choices(best_, choices)).trace == trace_;
  }

  /// The same run in fewer and smaller numbers: turns are taken where that does the same.
  void shorten() {
    for (std::size_t size = 0; size < best_.choices.size(); ++size) {
      const Choices shorter(best_.choices.begin(), best_.choices.begin() + static_cast<std::ptrdiff_t>(size));
      if (is_same(shorter)) best_.choices = shorter;
    }
    for (std::size_t at = 0; at < best_.choices.size(); ++at) {
      Choices smaller = best_.choices;
      for (smaller[at] = 0; smaller[at] < best_.choices[at] && !is_same(smaller); ++smaller[at]) {
      }
      best_.choices = smaller;
    }
  }

  const Server& server_;
  const Expectations& expectations_;
  const Violation& violation_;
  Scenario best_;
  Trace trace_;
  std::optional<Effort> effort_;
  std::uint64_t runs_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace

std::uint32_t most_alternatives(const Scenario& scenario) {
  return 4 * static_cast<std::uint32_t>(scenario.clients.size()) + 1;
}

Scenario written_out(const Server& server, const Scenario& scenario) {
  return with_choices(scenario, simulate(server, scenario).choices);
}

Calmer calmer(const Server& server, const Scenario& scenario, const Expectations& expectations,
              const Violation& violation) {
  return Calming(server, expectations, violation, scenario).result();
}

}  // namespace antiphon::verify
