#include "interpreters/replay.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include <string>
#include <utility>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "core/rewrite.hpp"
#include "interpreters/simulated.hpp"
#include "interpreters/trace_json.hpp"
#include "interpreters/trace_text.hpp"

namespace antiphon {
namespace {

std::vector<Event> trace_of(const Server& server) {
  Scenario scenario(7);
  scenario.short_io = true;
  for (const std::uint32_t bytes : {1U, 70U, 0U}) {
    scenario.clients.push_back({script::Connect{}, script::Send{bytes}, script::Send{3}, script::EndSide{}});
  }
  scenario.faults.push_back({.instruction = fault_place(Recv::name), .nth = 2, .error = Errno::INTR});
  scenario.stop_after = 120;
  return simulate(server, scenario).trace;
}

Replay replayed(const Server& program, const std::vector<Event>& trace) {
  Replay replay({program});
  for (const Event& event : trace) replay.see(event);
  return replay;
}

const Server& named(std::string_view name) {
  static const Server servers[] = {*program_named("stream"), *program_named("once"), *program_named("seed")};
  return servers[name == "stream" ? 0 : name == "once" ? 1 : 2];
}

/// The trace with another event in place of the n-th that is an I.
template <Instruction I>
std::vector<Event> edited(std::vector<Event> trace, std::size_t nth, const std::function<void(Exchange<I>&)>& edit) {
  for (Event& event : trace) {
    auto* const of_process = std::get_if<ProcessEvent>(&event);
    auto* const exchange = of_process == nullptr ? nullptr : exchange_of<I>(*of_process);
    if (exchange != nullptr && nth-- == 0) edit(*exchange);
  }
  return trace;
}

TEST(Replay, EveryProgramConformsToItsOwnTraces) {
  for (const std::string_view name : program_names) {
    const Replay replay = replayed(named(name), trace_of(named(name)));
    EXPECT_FALSE(replay.parting()) << name;
    EXPECT_TRUE(replay.is_whole()) << name;
    EXPECT_GT(replay.instructions(), 10U);
  }
}

TEST(Replay, AnotherProgramParts) {
  const std::vector<Event> trace = trace_of(named("stream"));
  const auto parting = replayed(named("once"), trace).parting();
  ASSERT_TRUE(parting);
  EXPECT_GT(parting->process, 0U);
  EXPECT_TRUE(std::holds_alternative<Issued>(parting->recorded));
}

TEST(Replay, AnEditedInstructionPartsWhereItIs) {
  const std::vector<Event> trace = trace_of(named("stream"));
  const auto changed =
      edited<Send>(trace, 1, [](Exchange<Send>& send) { send.instruction.bytes = Bytes::copy_of("?"); });
  const auto parting = replayed(named("stream"), changed).parting();
  ASSERT_TRUE(parting);
  const auto& recorded = std::get<Exchange<Send>>(std::get<Issued>(parting->recorded).exchange);
  const auto& issued = std::get<Exchange<Send>>(std::get<Issued>(parting->issued).exchange);
  EXPECT_EQ(recorded.instruction.bytes, Bytes::copy_of("?"));
  EXPECT_EQ(issued.instruction.to, recorded.instruction.to);
  EXPECT_NE(issued.instruction, recorded.instruction);
  EXPECT_FALSE(issued.response);
}

TEST(Replay, AnEditedAnswerPartsAtWhatFollows) {
  const std::vector<Event> trace = trace_of(named("stream"));
  const auto changed = edited<Recv>(trace, 0, [](Exchange<Recv>& recv) { recv.response = failed(Errno::CONNRESET); });
  const auto parting = replayed(named("stream"), changed).parting();
  ASSERT_TRUE(parting);
  EXPECT_TRUE(std::holds_alternative<Exchange<Close>>(std::get<Issued>(parting->issued).exchange));
}

TEST(Replay, AnEndThatIsNotTheProgramsParts) {
  std::vector<Event> trace = trace_of(named("stream"));
  auto& last = std::get<ProcessEvent>(trace.back());
  ASSERT_TRUE(std::holds_alternative<Ended>(last.what));
  last.what = Ended{failed(Errno::IO)};
  const auto parting = replayed(named("stream"), trace).parting();
  ASSERT_TRUE(parting);
  EXPECT_EQ(parting->issued, (std::variant<Issued, Ended>(Ended{})));
}

TEST(Replay, AnEarlyEndParts) {
  std::vector<Event> trace = trace_of(named("stream"));
  trace.resize(3);
  trace.emplace_back(ProcessEvent{0, 3, Ended{}});
  const auto parting = replayed(named("stream"), trace).parting();
  ASSERT_TRUE(parting);
  EXPECT_TRUE(std::holds_alternative<Exchange<Accept>>(std::get<Issued>(parting->issued).exchange));
}

TEST(Replay, AChildMayComeBeforeItsParentsFork) {
  std::vector<Event> trace = trace_of(named("stream"));
  std::erase_if(trace, [](const Event& event) { return !std::holds_alternative<ProcessEvent>(event); });
  std::ranges::sort(trace, {}, [](const Event& event) {
    const auto& of_process = std::get<ProcessEvent>(event);
    return std::pair(~of_process.process, of_process.number);
  });
  const Replay replay = replayed(named("stream"), trace);
  EXPECT_FALSE(replay.parting());
  EXPECT_TRUE(replay.is_whole());
}

/// The events as a trace with digests has them.
std::vector<Event> as_digests(const std::vector<Event>& trace) {
  std::vector<Event> digests;
  for (const Event& event : trace) {
    std::string line;
    append_line(line, event, Payload::digest);
    line.pop_back();
    const auto read = read_event(line);
    EXPECT_TRUE(read.has_value()) << line;
    digests.push_back(*read);
  }
  return digests;
}

/// Reads and writes fall short: what is sent begins and ends where no Recv did.
TEST(Replay, DigestsConformHoweverMessagesWereCut) {
  bool was_cut = false;
  for (std::uint64_t seed = 1; seed < 200; ++seed) {
    Scenario scenario(seed);
    scenario.short_io = true;
    for (int step = 0; step < 300; ++step)
      scenario.choices.push_back(static_cast<std::uint32_t>(seed * step + step / 3));
    scenario.clients.push_back({script::Connect{}, script::Send{70}, script::Send{30}, script::EndSide{}});
    const std::vector<Event> trace = simulate(named("stream"), scenario).trace;
    const std::vector<Event> digests = as_digests(trace);
    was_cut |= std::ranges::any_of(digests, [](const Event& event) {
      return event_line(event).find(R"(,"bytes":{"digest":"1:)") != std::string::npos;
    });
    ASSERT_FALSE(replayed(named("stream"), digests).parting()) << seed;
  }
  EXPECT_TRUE(was_cut);
}

TEST(Replay, AnotherSizeOrDigestParts) {
  for (const char* const other : {"x", "xy"}) {
    const std::vector<Event> trace = trace_of(named("stream"));
    const auto changed =
        edited<Send>(trace, 0, [&](Exchange<Send>& send) { send.instruction.bytes = Bytes::copy_of(other); });
    EXPECT_TRUE(replayed(named("stream"), as_digests(changed)).parting()) << other;
  }
}

TEST(Replay, AProgramThatLooksIsNotComparedFurther) {
  const Server curious = replace<Recv>(named("stream"), [](const Recv& recv) {
    return recv >> [](const Result<Bytes>& message) {
      return ret(message && message->view() == "secret" ? Result<Bytes>(Bytes{}) : message);
    };
  });
  const std::vector<Event> trace = trace_of(curious);
  EXPECT_FALSE(replayed(curious, trace).has_looked()) << "the messages are there";
  EXPECT_FALSE(replayed(named("stream"), as_digests(trace)).has_looked());
  EXPECT_TRUE(replayed(curious, as_digests(trace)).has_looked());
}

TEST(Replay, ACutTraceIsNotWhole) {
  std::vector<Event> trace = trace_of(named("stream"));
  trace.pop_back();
  const Replay replay = replayed(named("stream"), trace);
  EXPECT_FALSE(replay.parting());
  EXPECT_FALSE(replay.is_whole());
}

TEST(Replay, AProcessThatNobodyMadeIsNotWhole) {
  const std::vector<Event> orphan{ProcessEvent{5, 0, Issued{Exchange<Fork>{{}, Forked(Child{})}, std::nullopt}}};
  EXPECT_FALSE(replayed(named("stream"), orphan).is_whole());
}

}  // namespace
}  // namespace antiphon
