#include "verify/monitor.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/heap.hpp"

namespace antiphon::verify {
namespace {

/// What a server does that listens, accepts nobody and is asked to stop, but for the given events in between.
std::vector<ProcessEvent> server_run(std::vector<AnyExchange<Net>> between) {
  std::vector<AnyExchange<Net>> exchanges{Exchange<DiscardChildren>{{}, Unit{}},
                                          Exchange<OpenSocket>{{{"127.0.0.1", 0}}, Socket{0}},
                                          Exchange<Listen>{{Socket{0}, 128}, Endpoint{"127.0.0.1", 9}}};
  exchanges.insert(exchanges.end(), between.begin(), between.end());
  exchanges.emplace_back(Exchange<Accept>{{Socket{0}}, failed(Errno::STOPPING)});
  exchanges.emplace_back(Exchange<Close>{{Socket{0}}, Unit{}});
  std::vector<ProcessEvent> events;
  events.reserve(exchanges.size() + 1);
  for (AnyExchange<Net>& exchange : exchanges) events.push_back({0, events.size(), Issued{std::move(exchange), {}}});
  events.push_back({0, events.size(), Ended{}});
  return events;
}

const Expectations expected{.idle_ms = 60'000, .drain_ms = 5'000, .max_connections = unlimited};

/// The clauses that set the alarm off, each after how many events.
struct Alarms {
  std::vector<std::string> at;
  std::size_t seen = 0;
  Monitor monitor{expected, [this](const Violation& violation) {
                    at.push_back(std::string(violation.clause.name) + " at " + std::to_string(seen));
                  }};

  void see(const std::vector<ProcessEvent>& events) {
    for (const ProcessEvent& event : events) {
      monitor.write(event);
      ++seen;
    }
  }
};

TEST(Monitor, OfAServerThatDoesRightHasNothingToTell) {
  Alarms alarms;
  alarms.see(server_run({}));
  const Verdict verdict = alarms.monitor.finish();
  EXPECT_EQ(verdict.ruling, Ruling::holds);
  EXPECT_EQ(verdict.tally.events, 6U);
  EXPECT_EQ(alarms.at, std::vector<std::string>{});
}

TEST(Monitor, WithoutMemoryItSaysOnceThatItIsBlindAndIsIncomplete) {
  const std::vector<ProcessEvent> events = server_run({Exchange<Close>{{Socket{5}}, failed(Errno::BADF)}});
  bool failed = true;
  int blind = 0;
  for (std::int64_t nth = 1; failed; ++nth) {
    int told = 0;
    Monitor monitor(expected, [](const Violation&) {}, [&] { ++told; });
    scarce_heap::fail(nth, nth);
    for (const ProcessEvent& event : events) monitor.write(event);
    failed = scarce_heap::recover() > 0;
    blind += told;
    ASSERT_EQ(told, failed ? 1 : 0) << "allocation " << nth;
    const Verdict verdict = monitor.finish();
    // What it had found by then stays.
    const Ruling without = verdict.violations.empty() ? Ruling::incomplete : Ruling::violated;
    ASSERT_EQ(verdict.ruling, failed ? without : Ruling::violated) << "allocation " << nth;
    const std::string first = verdict.remarks.empty() ? "" : verdict.remarks.front();
    ASSERT_EQ(first, failed ? "there was no memory to judge what followed" : "") << "allocation " << nth;
  }
  EXPECT_GT(blind, 0);
}

TEST(Monitor, RaisesTheAlarmAtTheEventAndOncePerClause) {
  const Exchange<Close> twice{{Socket{5}}, failed(Errno::BADF)};
  Alarms alarms;
  alarms.see(server_run({twice, twice}));
  EXPECT_EQ(alarms.at, std::vector<std::string>{"open at 3"});
  const Verdict verdict = alarms.monitor.finish();
  EXPECT_EQ(verdict.ruling, Ruling::violated);
  EXPECT_EQ(verdict.violations.size(), 1U);
}

TEST(Monitor, RaisesTheAlarmForWhatIsWrongAtTheEndAlone) {
  Alarms alarms;
  auto events = server_run({Exchange<Accept>{{Socket{0}}, Socket{1}}});
  events.resize(4);
  events.push_back({0, 4, Issued{Exchange<Recv>{{Socket{1}, 100, {60'000, 5'000}}, Bytes::copy_of("a")}, {}}});
  events.push_back({0, 5, Issued{Exchange<Accept>{{Socket{0}}, std::nullopt}, {}}});
  alarms.see(events);
  const std::size_t before = alarms.at.size();
  EXPECT_EQ(alarms.monitor.finish().ruling, Ruling::violated);
  ASSERT_GT(alarms.at.size(), before);
  EXPECT_EQ(alarms.at[before], "answered at 6");
}

TEST(Monitor, WhatIsMissingIsNoPass) {
  Alarms alarms;
  auto events = server_run({});
  events.pop_back();
  alarms.see(events);
  EXPECT_EQ(alarms.monitor.finish().ruling, Ruling::incomplete);
  EXPECT_EQ(alarms.at, std::vector<std::string>{});
}

}  // namespace
}  // namespace antiphon::verify
