#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "core/programs/seed.hpp"
#include "tests/verify/history.hpp"
#include "verify/campaign.hpp"

/// The ten defects of the original: for each a scenario in which it breaks the clause that forbids the defect, and in
/// which the streaming server keeps them all.

namespace antiphon::verify {
namespace {

Scenario with_clients(std::vector<Script> clients) {
  Scenario scenario(0);
  scenario.clients = std::move(clients);
  return scenario;
}

Scenario with_fault(Scenario scenario, std::string_view instruction, std::uint32_t nth, Errno error) {
  scenario.faults.push_back({fault_place(instruction), nth, error});
  return scenario;
}

const Script one_message{script::Connect{}, script::Send{3}, script::EndSide{}};
const Script idler{script::Connect{}};

/// How the original breaks the clause, or "kept". The streaming server must keep every clause here.
std::string original(std::string_view clause, const Scenario& scenario) {
  const Verdict ours = run_and_judge(*program_named("stream"), scenario, expectations()).verdict;
  EXPECT_EQ(ours.ruling, Ruling::holds) << describe(scenario)
                                        << (ours.violations.empty() ? "" : ours.violations.front().sentence);
  for (const Violation& violation : run_and_judge(seed::echo_server(), scenario, expectations()).verdict.violations) {
    if (violation.clause.name == clause) return violation.sentence;
  }
  return "kept";
}

TEST(Rows, R1ChildrenAreNeverReaped) {
  EXPECT_EQ(original("reaped", with_clients({one_message})),
            "process 1, event 4: ends, and its parent, process 0, never reaps it");
}

TEST(Rows, R1AndInTheEndForkFailsAndTheServerDies) {
  std::vector<Script> clients(3);
  for (std::uint32_t client = 0; client < 3; ++client) {
    clients[client] = Script(
        {script::Pause{100 * (client + 1)}, script::Connect{}, script::Send{3}, script::Await{3}, script::EndSide{}});
  }
  Scenario scenario = with_clients(clients);
  scenario.max_processes = 3;
  EXPECT_EQ(original("acceptor-lives", scenario),
            "process 0, event 10: accepts clients and ends, and nobody asked it to stop");
}

TEST(Rows, R2IdleClientsHoldAProcessForEver) {
  EXPECT_EQ(original("idle-limit", with_clients({idler})),
            "process 1, event 1 (Recv): would wait for ever for its client, where 60000 ms are the limit");
}

TEST(Rows, R3TheRestOfALongMessageMakesAReset) {
  const Scenario scenario = with_clients({{script::Connect{}, script::Send{1025}, script::EndSide{}}});
  EXPECT_EQ(original("input-read", scenario),
            "process 0, event 4 (Close): lets go of a client whose end it has not read");
  EXPECT_TRUE(original("delivered", scenario).starts_with("client 1 never gets back \"")) << "some of it is lost";
}

TEST(Rows, R4OfAMessageInTwoSegmentsTheFirstIsEchoed) {
  const Scenario scenario =
      with_clients({{script::Connect{}, script::Send{3}, script::Pause{10}, script::Send{3}, script::EndSide{}}});
  EXPECT_EQ(original("input-read", scenario),
            "process 1, event 3 (Close): lets go of a client whose end it has not read");
  EXPECT_TRUE(original("delivered", scenario).starts_with("client 1 never gets back \"")) << "the second is lost";
}

TEST(Rows, R5ABurstIsTurnedAway) {
  Scenario scenario = with_clients(std::vector<Script>(5, one_message));
  scenario.choices = std::vector<std::uint32_t>(12, 27'719);  // the last of what can happen: clients come first
  EXPECT_EQ(original("admission", scenario), "client 3 is turned away while 2 wait to be accepted");
}

TEST(Rows, R6AResetEndsTheChild) {
  EXPECT_EQ(original("handled", with_clients({{script::Connect{}, script::Pause{10}, script::Reset{}}})),
            "process 1, event 2: ends by ECONNRESET, which it did not handle");
}

TEST(Rows, R6SoDoesABrokenPipe) {
  Scenario scenario = with_clients({{script::Connect{}, script::Send{3}, script::EndSide{}, script::Reset{}}});
  std::set<std::string> sentences;
  for (scenario.seed = 1; scenario.seed <= 300; ++scenario.seed) sentences.insert(original("handled", scenario));
  EXPECT_TRUE(sentences.contains("process 1, event 3: ends by EPIPE, which it did not handle"));
}

TEST(Rows, R7AFailureOfAcceptOrForkEndsTheServer) {
  for (const Errno error : {Errno::MFILE, Errno::CONNABORTED, Errno::INTR, Errno::NOBUFS}) {
    EXPECT_EQ(original("acceptor-lives", with_fault(with_clients({one_message}), Accept::name, 0, error)),
              "process 0, event 3: accepts clients and ends, and nobody asked it to stop")
        << name_of(error);
  }
  EXPECT_EQ(original("acceptor-lives", with_fault(with_clients({one_message}), Fork::name, 0, Errno::AGAIN)),
            "process 0, event 4: accepts clients and ends, and nobody asked it to stop");
}

TEST(Rows, R8AnInterruptedReadLosesTheEcho) {
  const Scenario scenario = with_fault(with_clients({one_message}), Recv::name, 0, Errno::INTR);
  EXPECT_TRUE(original("delivered", scenario).starts_with("client 1 never gets back \""));
}

TEST(Rows, R9ChildrenHoldTheListener) {
  EXPECT_EQ(original("own-connection", with_clients({one_message})),
            "process 1, event 1 (Recv): talks to its client and also holds socket 0, the listener");
}

TEST(Rows, R9AndClientsStillConnectWhenTheServerIsDead) {
  const Scenario scenario =
      with_fault(with_clients({idler, {script::Pause{100}, script::Connect{}, script::EndSide{}}}), Accept::name, 1,
                 Errno::CONNABORTED);
  EXPECT_EQ(original("nobody-waits", scenario), "client 2 is connected and nobody accepts it");
}

TEST(Rows, R10ThereIsNoDrain) {
  Scenario scenario = with_clients({{script::Connect{}, script::Pause{10}, script::Send{3}, script::EndSide{}}});
  std::set<std::string> sentences;
  for (std::uint32_t step = 0; step < 20; ++step) {
    scenario.stop_after = step;
    sentences.insert(original("drained", scenario));
  }
  EXPECT_TRUE(
      sentences.contains("process 1, event 1 (Recv): is cut off 0 ms after the stop, where 5000 ms are granted"));
}

}  // namespace
}  // namespace antiphon::verify
