#include "apps/metrics_families.hpp"

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <sstream>
#include <string>

namespace antiphon {
namespace {

const ServerFacts facts{.program = "stream", .interpreter = "epoll", .workers = 2, .monitored = true, .started_s = 17};

std::string text_of(const MetricsBoard& board, const ServerFacts& of = facts) {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families_of(board, of));
  return text.str();
}

testing::AssertionResult has_line(const std::string& text, const std::string& line) {
  if (("\n" + text).contains("\n" + line + "\n")) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "no line '" << line << "' in\n" << text;
}

TEST(Families, AddUpWhatTheSlotsHave) {
  const MetricsBoard board(2);
  board.slot(0).accepted = 5;
  board.slot(1).accepted = 2;
  board.slot(1).refused = 1;
  board.slot(0).ended = 3;
  board.slot(1).received_bytes = 8;
  board.slot(0).instructions[result_kind(Errno::CONNRESET)][instruction_kind<Recv>] = 4;
  const std::string text = text_of(board);
  for (const char* line :
       {"# TYPE antiphon_connections_accepted_total counter", "antiphon_connections_accepted_total 7",
        "antiphon_connections_refused_total 1", "antiphon_connections_ended_total 3", "antiphon_connections_open 3",
        "antiphon_received_bytes_total 8", "antiphon_sent_bytes_total 0",
        R"(antiphon_instructions_total{instruction="Recv",result="ECONNRESET"} 4)",
        R"(antiphon_instructions_total{instruction="Send",result="ok"} 0)", "process_start_time_seconds 17",
        R"(antiphon_server_info{program="stream",interpreter="epoll",workers="2"} 1)"}) {
    EXPECT_TRUE(has_line(text, line));
  }
}

TEST(Families, AKilledProcessTakesItsConnectionAlong) {
  const MetricsBoard board(1);
  board.slot(0).accepted = 5;
  board.slot(0).ended = 2;
  board.slot(0).failed_processes = 1;
  board.slot(0).failed_children = 2;
  EXPECT_TRUE(has_line(text_of(board), "antiphon_connections_open 2"));
  EXPECT_TRUE(has_line(text_of(board), "antiphon_connections_ended_total 3"));
}

TEST(Families, HistogramsAreCumulative) {
  const MetricsBoard board(2);
  board.slot(0).latency.classes[0] = 2;
  board.slot(1).latency.classes[1] = 3;
  board.slot(1).latency.classes[EchoLatency::bounded_classes] = 1;
  board.slot(1).latency.sum_ns = 1'500'000'000;
  const std::string text = text_of(board);
  for (const char* line : {R"(antiphon_echo_latency_seconds_bucket{le="1.024e-06"} 2)",
                           R"(antiphon_echo_latency_seconds_bucket{le="2.048e-06"} 5)",
                           R"(antiphon_echo_latency_seconds_bucket{le="17.179869184"} 5)",
                           R"(antiphon_echo_latency_seconds_bucket{le="+Inf"} 6)",
                           "antiphon_echo_latency_seconds_count 6", "antiphon_echo_latency_seconds_sum 1.5"}) {
    EXPECT_TRUE(has_line(text, line));
  }
}

TEST(Families, TheVerdictIsOneOfThree) {
  const MetricsBoard board(2);
  EXPECT_TRUE(has_line(text_of(board), R"(antiphon_verdict{verdict="holds"} 1)"));
  board.slot(1).unjudged = true;
  EXPECT_TRUE(has_line(text_of(board), R"(antiphon_verdict{verdict="holds"} 0)"));
  EXPECT_TRUE(has_line(text_of(board), R"(antiphon_verdict{verdict="incomplete"} 1)"));
  board.slot(0).note_violation("echo");
  const std::string text = text_of(board);
  for (const char* line :
       {R"(antiphon_verdict{verdict="holds"} 0)", R"(antiphon_verdict{verdict="violated"} 1)",
        R"(antiphon_verdict{verdict="incomplete"} 0)", R"(antiphon_violations_total{clause="echo"} 1)",
        R"(antiphon_violations_total{clause="answered"} 0)"}) {
    EXPECT_TRUE(has_line(text, line));
  }
}

TEST(Families, WithoutAMonitorThereIsNoVerdict) {
  ServerFacts unmonitored = facts;
  unmonitored.monitored = false;
  EXPECT_FALSE(text_of(MetricsBoard(2), unmonitored).contains("verdict"));
}

}  // namespace
}  // namespace antiphon
