#include "verify/sometimes.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace antiphon::verify {

namespace {

std::uint64_t excused(const Tally& tally, Excuse excuse) { return tally.excuses.at(static_cast<std::size_t>(excuse)); }

bool is_on(const Generation& generation, std::string_view name) {
  const auto& classes = fault_classes();
  const auto found = std::ranges::find(classes, name, &FaultClass::name);
  const auto index = static_cast<std::size_t>(found - classes.begin());
  return index < generation.faults.size() && generation.faults[index];
}

bool excuses_nothing(const Tally& tally) { return excused(tally, Excuse::none) == tally.connections; }

/// A Fork fails in it for no other reason than a limit of the program's.
bool lets_fork(const Scenario& scenario) {
  const std::uint32_t fork = fault_place(Fork::name);
  return scenario.max_processes == Scenario(0).max_processes &&
         std::ranges::none_of(scenario.faults, [&](const Fault& fault) { return fault.instruction == fork; });
}

}  // namespace

SometimesTable SometimesTable::of(const Generation& generation, const Expectations& expectations) {
  SometimesTable table;
  const auto on = [&](std::string_view name) { return is_on(generation, name); };
  table.expect_tally("a message is echoed and nothing is excused",
                     [](const Tally& tally) { return tally.bytes_sent > 0 && excuses_nothing(tally); });
  if (generation.most_clients > 1) {
    table.expect_tally("clients are served at the same time", [](const Tally& tally) { return tally.at_once > 1; });
  }
  table.expect_tally("a read fills its buffer", [](const Tally& tally) { return tally.full_reads > 0; });
  if (on("short")) {
    table.expect_tally("a short write is carried on", [](const Tally& tally) { return tally.short_sends > 0; });
  }
  if (on("interrupts") || on("accept") || on("memory")) {
    table.expect_tally("an error is answered and everything is echoed all the same", [](const Tally& tally) {
      return tally.errors > 0 && tally.bytes_sent > 0 && excuses_nothing(tally);
    });
  }
  if (on("fork") || on("limits")) table.expect_excuse("a client is refused for want of a process", Excuse::refused);
  if (on("reset")) table.expect_excuse("a client's reset ends a session", Excuse::reset);
  if (on("idle")) table.expect_excuse("a deadline ends a session", Excuse::deadline);
  if (on("stop")) {
    table.expect_tally("a stop comes while clients are served",
                       [](const Tally& tally) { return tally.stopped_while_serving; });
  }
  table.expect_limits(generation, expectations);
  return table;
}

SometimesTable SometimesTable::of_limits(const Generation& generation, const Expectations& expectations) {
  SometimesTable table;
  table.expect_limits(generation, expectations);
  return table;
}

void SometimesTable::count(const Scenario& scenario, const Tally& tally) {
  for (std::size_t index = 0; index < tests_.size(); ++index) {
    if (tests_[index](scenario, tally)) ++rows_[index].runs;
  }
}

void SometimesTable::expect(std::string_view what, Test test, bool needed) {
  rows_.push_back({what, 0, needed});
  tests_.push_back(std::move(test));
}

void SometimesTable::expect_tally(std::string_view what, std::function<bool(const Tally&)> test) {
  expect(what, [test = std::move(test)](const Scenario&, const Tally& tally) { return test(tally); });
}

void SometimesTable::expect_excuse(std::string_view what, Excuse excuse) {
  expect_tally(what, [=](const Tally& tally) { return excused(tally, excuse) > 0; });
}

void SometimesTable::expect_limits(const Generation& generation, const Expectations& expectations) {
  if (expectations.progress_ms != forever_ms) {
    // Who never reads holds up a Send, once his buffer is full: the answer to one message always has room in it.
    const bool can_wait = is_on(generation, "idle") && expectations.answers == Answers::everything;
    expect("an alarm ends a Send", [](const Scenario&, const Tally& tally) { return tally.alarms > 0; }, can_wait);
  }
  if (expectations.max_per_address != unlimited && expectations.max_connections == unlimited) {
    expect("a client is refused for its address", [](const Scenario& scenario, const Tally& tally) {
      return lets_fork(scenario) && excused(tally, Excuse::refused) > 0;
    });
  }
}

std::vector<std::string> never_happened(const std::vector<Sometimes>& rows) {
  std::vector<std::string> remarks;
  for (const Sometimes& row : rows) {
    if (row.needed && row.runs == 0)
      remarks.push_back("it never happened that " + std::string(row.what) + "; more runs may show it");
  }
  return remarks;
}

}  // namespace antiphon::verify
