#include "apps/monitoring.hpp"

#include <gtest/gtest.h>

namespace antiphon {
namespace {

verify::Verdict verdict_of(std::uint64_t events, std::uint64_t connections) {
  verify::Verdict verdict;
  verdict.tally.events = events;
  verdict.tally.connections = connections;
  return verdict;
}

verify::Violation violation_of(std::string_view clause) { return {{clause, "what holds"}, {}, "does wrong", 0, {}}; }

TEST(MonitorReport, AddsUpWhatEachWorkerSaw) {
  MonitorReport report;
  report.add(verdict_of(80, 3), "worker 0: ");
  report.add(verdict_of(8, 1), "worker 1: ");
  EXPECT_EQ(report.line(), "holds: 88 events, 4 connections");
  EXPECT_EQ(report.code(), ExitCode::holds);
}

TEST(MonitorReport, WhatIsMissingIsIncompleteAndSaysWhere) {
  MonitorReport report;
  verify::Verdict cut = verdict_of(8, 1);
  cut.remarks = {"the end of process 0 is missing", "the end of process 1 is missing"};
  report.add(cut, "worker 1: ");
  EXPECT_EQ(report.line(),
            "incomplete: 8 events, 1 connections: worker 1: the end of process 0 is missing (and 1 more)");
  EXPECT_EQ(report.code(), ExitCode::incomplete);
}

TEST(MonitorReport, AViolationOutweighsWhatIsMissing) {
  MonitorReport report;
  verify::Verdict broken = verdict_of(8, 1);
  broken.violations = {violation_of("open"), violation_of("echo")};
  report.add(broken, "");
  broken.violations = {violation_of("open")};
  report.add(broken, "");
  report.add_remark("events are missing");
  EXPECT_EQ(report.line(), "violated: 16 events, 2 connections: echo, open");
  EXPECT_EQ(report.code(), ExitCode::violated);
}

TEST(Monitoring, WhatIsQuotedOfAConnectionIsLeftOut) {
  EXPECT_EQ(without_payload(R"(sends "k\"ey" where "vk" (9 bytes) is owed)"),
            "sends \"\u2026\" where \"\u2026\" (9 bytes) is owed");
  EXPECT_EQ(without_payload("sends 3 bytes"), "sends 3 bytes");
}

TEST(MonitorReport, AServerThatFailedStaysFailed) {
  EXPECT_EQ(joined(ExitCode::holds, ExitCode::incomplete), ExitCode::incomplete);
  EXPECT_EQ(joined(ExitCode::holds, ExitCode::violated), ExitCode::violated);
  EXPECT_EQ(joined(ExitCode::violated, ExitCode::incomplete), ExitCode::violated);
  EXPECT_EQ(joined(ExitCode::holds, ExitCode::holds), ExitCode::holds);
}

}  // namespace
}  // namespace antiphon
