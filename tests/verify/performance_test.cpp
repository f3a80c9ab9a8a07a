#include "verify/performance.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/rewrite.hpp"
#include "interpreters/free_address.hpp"
#include "interpreters/kernel.hpp"
#include "tests/verify/makers.hpp"
#include "verify/campaign.hpp"
#include "verify/parity.hpp"
#include "verify/planted.hpp"
#include "verify/table.hpp"

namespace antiphon::verify {
namespace {

using script::Await;
using script::EndSide;
using script::Pause;
using script::Reset;
using script::StopReading;

const script::Connect connect;

Scenario scenario(std::vector<Script> clients) {
  Scenario made(0);
  made.clients = std::move(clients);
  return made;
}

/// What the process did, word for word.
std::string story(const antiphon::Run& run, ProcessId process) {
  std::string text;
  for (const Event& event : run.trace) {
    const auto* const one = std::get_if<ProcessEvent>(&event);
    if (one != nullptr && one->process == process) text += cell_of(event) + '\n';
  }
  return text;
}

/// Everything that happened, but for the server's address, which is another each time.
std::vector<std::string> in_order(const antiphon::Run& run) {
  std::vector<std::string> cells;
  cells.reserve(run.trace.size());
  for (const Event& event : run.trace) cells.push_back(cell_of(event));
  std::erase_if(cells, [](const std::string& cell) { return cell.find(" 127.0.0.1:") != std::string::npos; });
  return cells;
}

std::string text_of(const Performance& performance) {
  if (performance.cut_short) return "cut short";
  if (!performance.difference) return "alike";
  const Difference& difference = *performance.difference;
  return difference.place + ": " + difference.simulated + " | " + difference.performed;
}

class PerformanceOn : public testing::TestWithParam<Stage> {
 protected:
  void SetUp() override {
    if (const auto why = why_not(GetParam())) GTEST_SKIP() << *why;
  }

  static Performance performed(const std::string& program, const Scenario& what, const ProgramOptions& options = {}) {
    return perform(maker(program, options), what, GetParam());
  }
};

INSTANTIATE_TEST_SUITE_P(Stages, PerformanceOn, testing::Values(Stage::fork, Stage::epoll, Stage::uring),
                         [](const auto& stage) {
                           return std::string(stage_names[static_cast<std::size_t>(stage.param)]);
                         });

TEST_P(PerformanceOn, IsTheSimulatedRunEventByEvent) {
  const Scenario what = scenario({{connect, script::Send{3}, Await{3}, script::Send{200}, EndSide{}},
                                  {connect, script::Send{5}, Reset{}},
                                  {Pause{5}, connect, EndSide{}}});
  const Performance performance = performed("stream", what);
  EXPECT_EQ(text_of(performance), "alike");
  EXPECT_EQ(performance.given, 0U);
  EXPECT_TRUE(performance.run.at_rest);
  const antiphon::Run simulated = simulate(*program_named("stream"), what);
  for (const ProcessId session : {1U, 2U, 3U}) EXPECT_EQ(story(performance.run, session), story(simulated, session));
  EXPECT_EQ(in_order(performance.run), in_order(simulated));
}

TEST_P(PerformanceOn, FaultsAndTheEndsOfDeadlinesAreTheScenarios) {
  Scenario what = scenario({{connect, script::Send{3}, Pause{70'000}, EndSide{}}, {connect, EndSide{}}});
  what.faults = {{fault_place(Accept::name), 0, Errno::MFILE},
                 {fault_place(Fork::name), 0, Errno::AGAIN},
                 {fault_place(Recv::name), 1, Errno::INTR},
                 {fault_place(Close::name), 2, Errno::IO},
                 {fault_place(ShutdownSend::name), 0, Errno::NOTCONN}};
  for (const std::string program : {"stream", "once"}) {
    const Performance performance = performed(program, what);
    EXPECT_EQ(text_of(performance), "alike") << program;
    EXPECT_GE(performance.given, 3U);
  }
}

TEST_P(PerformanceOn, LimitsAreTheScenarios) {
  Scenario what = scenario({{connect, script::Send{400}, EndSide{}}, {StopReading{}, connect, script::Send{99}}});
  what.capacity = 16;
  what.max_sockets = 3;
  what.max_processes = 2;
  what.short_io = true;
  for (what.seed = 1; what.seed < 9; ++what.seed) EXPECT_EQ(text_of(performed("stream", what)), "alike");
}

TEST_P(PerformanceOn, ClientsComeFromTheirAddresses) {
  const Server server = maker("stream", {.server = {.max_per_address = 1}, .session = {}})(free_address());
  const Script stays{connect, script::Send{1}};
  Scenario what = scenario({stays, stays, stays});
  what.addresses = 2;
  Score score = score_of(server, what);
  EXPECT_EQ(text_of(perform(server, score, GetParam())), "alike");
  score.hosts = {"127.0.0.1", "127.0.0.1", "127.0.0.1"};
  EXPECT_EQ(text_of(perform(server, score, GetParam())),
            "event 7 of process 0: process 0: Fork \u2192 process 2 | process 0: Fork \u2192 EAGAIN");
}

TEST_P(PerformanceOn, AStopComesWhereItCame) {
  Scenario what = scenario({{connect, script::Send{8}, EndSide{}}, {connect, script::Send{8}, Pause{9000}, EndSide{}}});
  for (std::uint32_t step = 0; step < 24; step += 3) {
    what.stop_after = step;
    EXPECT_EQ(text_of(performed("stream", what)), "alike") << "after " << step;
  }
}

TEST_P(PerformanceOn, WhoIsTurnedAwayIsTurnedAway) {
  ProgramOptions options;
  options.server.backlog = 1;
  options.session.until.drain_ms = 0;
  Scenario what = scenario({{connect, EndSide{}}, {connect, EndSide{}}, {connect, EndSide{}}, {connect, EndSide{}}});
  const auto is_refusal = [](const Event& event) {
    const auto* const one = std::get_if<ClientEvent>(&event);
    return one != nullptr && one->kind == ClientEvent::Kind::turned_away;
  };
  std::size_t seen = 0;
  for (what.seed = 1; what.seed < 40 && seen < 3; ++what.seed) {
    const antiphon::Run simulated = simulate(*program_named("stream", options), what);
    if (!std::ranges::any_of(simulated.trace, is_refusal)) continue;
    ++seen;
    EXPECT_EQ(text_of(performed("stream", what, options)), "alike");
  }
  EXPECT_EQ(seen, 3U);
}

TEST_P(PerformanceOn, ACounterexampleBreaksItsClauseOnTheKernelToo) {
  const Scenario what = scenario({{connect, script::Send{2}, EndSide{}}});
  for (const std::string_view clause : {"answered", "open", "released", "idle-limit"}) {
    const MakeServer make = [&](const Endpoint& at) {
      ProgramOptions options;
      options.server.at = at;
      for (const Planted& planted : planted_violations(options)) {
        if (planted.clause == clause) return planted.server;
      }
      throw std::logic_error("nothing is planted for it");
    };
    const Performance performance = perform(make, what, GetParam());
    EXPECT_EQ(text_of(performance), "alike") << clause;
    EXPECT_NE(violation_of(judged(performance.run, expected_by_default()).verdict, clause), nullptr) << clause;
  }
}

// -- What must be found ------------------------------------------------------------------------------------------

/// Performs a server to the score of another one.
std::string differs(const MakeServer& scored, const MakeServer& performed, const Scenario& what, Stage stage) {
  const Endpoint at = free_address();
  return text_of(perform(performed(at), score_of(scored(at), what), stage));
}

TEST_P(PerformanceOn, AnotherProgramParts) {
  const Scenario what = scenario({{connect, script::Send{3}, EndSide{}}});
  EXPECT_EQ(differs(maker("stream"), maker("once"), what, GetParam()),
            "event 4 of process 1: process 1: Recv 1 \u2192 end | process 1: ShutdownSend 1 \u2192 ok");
}

TEST_P(PerformanceOn, OneWrongByteParts) {
  const Scenario what = scenario({{connect, script::Send{3}, EndSide{}}});
  const Server server = maker("stream")(free_address());
  const auto all = spoiled(score_of(server, what));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(text_of(perform(server, all[0].score, GetParam())),
            "event 2 of process 1: process 1: Recv 1 \u2192 \"!vk\" | process 1: Recv 1 \u2192 \"avk\"");
  EXPECT_EQ(text_of(perform(server, all[1].score, GetParam())),
            "client 1: client 1: received \"!vk\" | received \"avk\", then nothing");
}

/// Changes the first event of that kind that a client meets.
template <class Change>
Score with_client_event(Score score, ClientEvent::Kind kind, Change change) {
  for (Step& step : score.steps) {
    auto* const event = std::get_if<Event>(&step.what);
    auto* const of_client = event == nullptr ? nullptr : std::get_if<ClientEvent>(event);
    if (of_client == nullptr || of_client->kind != kind) continue;
    change(*of_client);
    break;
  }
  return score;
}

TEST_P(PerformanceOn, WhatAClientMeetsIsCompared) {
  using enum ClientEvent::Kind;
  const Scenario what = scenario({{connect, script::Send{3}, EndSide{}}});
  const Server server = maker("stream")(free_address());
  const Score score = score_of(server, what);
  const auto change = [&](ClientEvent::Kind kind, auto&& how) {
    return text_of(perform(server, with_client_event(score, kind, how), GetParam()));
  };
  EXPECT_EQ(change(received, [](ClientEvent& event) { event.bytes = Bytes::copy_of("avx"); }),
            "client 1: client 1: received \"avx\" | received \"avk\", then nothing");
  EXPECT_EQ(change(received, [](ClientEvent& event) { event.kind = received_end; }),
            "client 1: client 1: received end \"avk\" | 3 bytes");
  EXPECT_EQ(change(received_end, [](ClientEvent& event) { event.kind = refused; }),
            "client 1: client 1: refused | connected");
}

TEST_P(PerformanceOn, WhatAClientMeetsBeyondTheScoreParts) {
  const Server server = maker("stream")(free_address());
  Score score = score_of(server, scenario({{connect, script::Send{3}}}));
  // As if the client never met anything.
  const auto is_met = [](const Event& event) {
    using enum ClientEvent::Kind;
    const auto* const one = std::get_if<ClientEvent>(&event);
    return one != nullptr && (one->kind == received || one->kind == received_end || one->kind == closed);
  };
  std::erase_if(score.run.trace, is_met);
  std::erase_if(score.steps, [&](const Step& step) {
    const auto* const event = std::get_if<Event>(&step.what);
    return event != nullptr && is_met(*event);
  });
  score.places.clear();
  for (std::size_t step = 0; step < score.steps.size(); ++step) {
    const auto* const event = std::get_if<Event>(&score.steps[step].what);
    const auto* const of_process = event == nullptr ? nullptr : std::get_if<ProcessEvent>(event);
    if (of_process != nullptr) score.places[of_process->process].push_back(step);
  }
  EXPECT_EQ(text_of(perform(server, score, GetParam())), "client 1: nothing more | 3 bytes");
}

TEST_P(PerformanceOn, ARecvThatAnswersLessThanThereWasIsCutShort) {
  const Server server = maker("stream")(free_address());
  Score score = score_of(server, scenario({{connect, script::Send{3}, EndSide{}}}));
  for (Step& step : score.steps) {
    if (auto* const delivery = std::get_if<Delivery>(&step.what)) delivery->bytes = delivery->bytes.substr(0, 2);
  }
  const Performance performance = perform(server, score, GetParam());
  EXPECT_TRUE(performance.cut_short);
  EXPECT_EQ(performance.difference, std::nullopt);
}

TEST_P(PerformanceOn, WhoGoesOnWhereTheScoreRestsParts) {
  const Scenario what = scenario({{connect, script::Send{3}, EndSide{}}});
  const Server server = maker("stream")(free_address());
  Score score = score_of(server, what);
  // As if the session had rested before it read the end: nothing more of it is in the score.
  std::vector<std::size_t>& places = score.places.at(1);
  const std::size_t first = places[4];
  places.resize(4);
  std::erase_if(score.places.at(0), [&](std::size_t place) { return place >= first; });
  score.steps.resize(first);
  score.steps.push_back({Delivery{0, Delivery::Kind::end, ""}, {}});
  EXPECT_EQ(text_of(perform(server, score, GetParam())),
            "event 4 of process 1: nothing more | process 1: Recv 1 \u2192 end");
}

TEST_P(PerformanceOn, WhoDoesNotComeToItsStepParts) {
  const auto hangs = [](const Endpoint& at) {
    return replace<Send>(maker("stream")(at), [](const Send& send) -> Program<Net, Result<std::size_t>> {
      return Sleep{600'000} >> [=](const Result<Unit>&) { return send; };
    });
  };
  // In the simulation its first instruction is the same.
  const Scenario what = scenario({{connect, script::Send{3}, EndSide{}}});
  EXPECT_EQ(differs(maker("stream"), hangs, what, GetParam()),
            "event 3 of process 1: process 1: Send 1 \"avk\" \u2192 3 | nothing comes");
}

TEST(Performance, AServerThatDiesParts) {
  const pid_t here = getpid();
  const auto dies = [here](const Endpoint& at) {
    return replace<Send>(maker("stream")(at), [here](const Send& send) -> Program<Net, Result<std::size_t>> {
      if (getpid() != here) std::_Exit(1);
      return send;
    });
  };
  const Scenario what = scenario({{connect, script::Send{3}, EndSide{}}});
  EXPECT_EQ(text_of(perform(dies, what, Stage::epoll)),
            "event 3 of process 1: process 1: Send 1 \"avk\" \u2192 3 | nothing comes");
}

TEST(Performance, AnAddressThatIsTakenIsSaid) {
  const Endpoint taken = free_address();
  const auto socket = kernel::open_socket(taken);
  ASSERT_TRUE(socket && kernel::listen_at(socket->number(), 1));
  EXPECT_THROW(perform([&](const Endpoint&) { return maker("stream")(taken); }, scenario({}), Stage::epoll),
               std::runtime_error);
}

}  // namespace
}  // namespace antiphon::verify
