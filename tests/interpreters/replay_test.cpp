#include "interpreters/replay.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include <string>
#include <utility>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "interpreters/simulated.hpp"
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
    auto* const issued = of_process == nullptr ? nullptr : std::get_if<Issued>(&of_process->what);
    auto* const exchange = issued == nullptr ? nullptr : std::get_if<Exchange<I>>(&issued->exchange);
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
