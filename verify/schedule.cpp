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

constexpr std::uint64_t most_probes = 4'000;
constexpr std::size_t window = 24;  ///< Choices between what arrives and its being read.
constexpr std::uint64_t most_calming_runs = 2'000;
constexpr std::uint64_t most_calming_events = 400'000;

Scenario with_choices(const Scenario& scenario, Choices choices) {
  Scenario other = scenario;
  other.choices = std::move(choices);
  return other;
}

/// Finds out what a run was answered where it took turns. The simulator does not tell; but a turn is the next number
/// and a shortfall is 0, so what is open is only where the shortfalls are. Each is found by the events that come
/// right once a 0 stands in its place. Where several amounts in a row stay unseen it may find none.
class Reconstruction {
 public:
  Reconstruction(const Server& server, const Scenario& scenario)
      : server_(server), scenario_(scenario), choices_(scenario.choices), open_(choices_.size()) {
    const Run run = simulate(server, scenario);
    target_ = run.trace;
    // A step asks which thing happens, and then at most for one amount.
    for (std::uint32_t turn = 0; turn < 2 * run.steps; ++turn) choices_.push_back(turn);
  }

  std::optional<Choices> choices() {
    agreed_ = agreement(choices_);
    while (agreed_ < target_.size()) {
      if (probes_ >= most_probes || !(insert_one() || insert_two())) return std::nullopt;
    }
    if (!is_target(choices_)) return std::nullopt;
    return without_unused();
  }

 private:
  Trace trace_of(const Choices& choices) {
    ++probes_;
    return simulate(server_, with_choices(scenario_, choices)).trace;
  }
  bool is_target(const Choices& choices) { return trace_of(choices) == target_; }

  /// How many events at the beginning are the target's.
  std::size_t agreement(const Choices& choices) {
    const Trace trace = trace_of(choices);
    return static_cast<std::size_t>(std::ranges::mismatch(trace, target_).in1 - trace.begin());
  }

  static Choices with_shortfall(const Choices& choices, std::size_t at) {
    Choices other = choices;
    other.insert(other.begin() + static_cast<std::ptrdiff_t>(at), 0);
    return other;
  }

  /// The first choice that does nothing for the events that are right.
  std::size_t decided() {
    std::size_t least = open_;
    std::size_t most = choices_.size();
    while (least < most) {
      const std::size_t middle = least + (most - least) / 2;
      Choices changed = choices_;
      for (std::size_t at = middle; at < changed.size(); ++at) ++changed[at];
      if (agreement(changed) >= agreed_) {
        most = middle;
      } else {
        least = middle + 1;
      }
    }
    return most;
  }

  bool insert_one() {
    Choices best;
    for (std::size_t at = open_; at < choices_.size(); ++at) {
      Choices other = with_shortfall(choices_, at);
      const std::size_t agreed = agreement(other);
      if (agreed <= agreed_) continue;
      agreed_ = agreed;
      best = std::move(other);
      open_ = at + 1;
    }
    if (best.empty()) return false;
    choices_ = std::move(best);
    return true;
  }

  /// An amount that arrives shows only when it is read, and how much is read may be a shortfall too.
  bool insert_two() {
    const std::size_t end = std::min(decided() + 2, choices_.size());
    const std::size_t begin = std::max(open_, end - std::min(end, window));
    for (std::size_t second = end; second-- > begin;) {
      for (std::size_t first = second + 1; first-- > begin;) {
        Choices other = with_shortfall(with_shortfall(choices_, second), first);
        const std::size_t agreed = agreement(other);
        if (agreed <= agreed_) continue;
        agreed_ = agreed;
        choices_ = std::move(other);
        open_ = first + 1;
        return true;
      }
    }
    return false;
  }

  /// What can be changed at will was not asked for.
  Choices without_unused() {
    std::size_t least = 0;
    std::size_t most = choices_.size();
    while (least < most) {
      const std::size_t middle = least + (most - least) / 2;
      Choices changed = choices_;
      for (std::size_t at = middle; at < changed.size(); ++at) ++changed[at];
      if (is_target(changed)) {
        most = middle;
      } else {
        least = middle + 1;
      }
    }
    Choices used(choices_.begin(), choices_.begin() + static_cast<std::ptrdiff_t>(most));
    return is_target(used) ? used : choices_;
  }

  const Server& server_;
  const Scenario& scenario_;
  Choices choices_;
  std::size_t open_;        ///< Everything before is as the target has it.
  std::size_t agreed_ = 0;  ///< Events.
  Trace target_;
  std::uint64_t probes_ = 0;
};

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
    if (const auto explicit_one = written_out(server_, best_)) best_.choices = explicit_one->choices;
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

std::optional<Scenario> written_out(const Server& server, const Scenario& scenario) {
  if (scenario.seed != 0) return std::nullopt;
  auto choices = Reconstruction(server, scenario).choices();
  if (!choices) return std::nullopt;
  return with_choices(scenario, *std::move(choices));
}

Calmer calmer(const Server& server, const Scenario& scenario, const Expectations& expectations,
              const Violation& violation) {
  return Calming(server, expectations, violation, scenario).result();
}

}  // namespace antiphon::verify
