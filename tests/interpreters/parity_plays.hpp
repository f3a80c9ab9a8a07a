#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/interpreters/parity.hpp"
#include "tests/interpreters/small_programs.hpp"
#include "verify/performance.hpp"
#include "verify/retrace.hpp"

/// The words in which plays are written down, and what each of them has to pass.

namespace antiphon::parity {

using namespace small;
using script::Await;
using script::EndSide;
using script::Pause;
using script::Reset;
using script::StopReading;
using ClientConnects = script::Connect;
using ClientSends = script::Send;

inline constexpr Socket listener{0};
inline constexpr Socket first{1};
inline constexpr Socket second{2};
inline constexpr Deadline patient{.wait_ms = 20'000, .drain_ms = 20'000};

/// Within this everything happens that can happen.
inline constexpr std::uint32_t settled_ms = 120;
inline Sleep settle(std::int64_t times = 1) { return Sleep{times * settled_ms}; }
inline Pause pause(std::uint32_t times = 1) { return Pause{times * settled_ms}; }

inline constexpr ClientConnects connect{};

inline Recv read(std::size_t at_most, Deadline until = patient) { return {first, at_most, until}; }
inline Send write(std::size_t count, Deadline until = patient) { return {first, bytes(count), until}; }
inline Deadline within(std::int64_t wait_ms) { return {.wait_ms = wait_ms, .drain_ms = 20'000}; }

using verify::MakeServer;

/// Listens at socket 0, then goes on.
inline MakeServer listening_at(const MakeServer& rest, int backlog = 8) {
  return [=](const Endpoint& at) {
    return then(OpenSocket{at}, [=] { return then(Listen{listener, backlog}, [=] { return rest(at); }); });
  };
}
inline MakeServer listening(const Next& rest, int backlog = 8) {
  return listening_at([=](const Endpoint&) { return rest(); }, backlog);
}

/// Listens and takes the first client as socket 1, then does all that.
template <Instruction... Is>
MakeServer serving(const Is&... rest) {
  return listening([=] { return all(Accept{listener}, rest...); });
}

/// The story of a server that was made by `serving`.
inline std::string served(const std::string& rest) { return "OpenSocket 0; Listen; Accept 1; " + rest + "; ends"; }
inline std::string listened(const std::string& rest) { return "OpenSocket 0; Listen; " + rest + "; ends"; }

/// Sends on socket 1 until that fails, then goes on.
inline Server fill(const Deadline& until, const Next& next) {
  const Bytes much = bytes(std::size_t{1} << 18U);
  return iter(Unit{},
              [=](const Unit&) {
                return Send{first, much, until} >> [](const Result<std::size_t>& sent) {
                  return ret(sent ? Step<Unit, Unit>(Continue{Unit{}}) : Step<Unit, Unit>(Break{Unit{}}));
                };
              }) >>
         [=](const Unit&) { return next(); };
}

/// Where the run went; any address if it went nowhere.
inline Endpoint address_of(const std::vector<ProcessEvent>& record) {
  for (const ProcessEvent& event : record) {
    const auto* const open = exchange_of<OpenSocket>(event);
    if (open != nullptr && open->instruction.at.port != 0) return {"127.0.0.1", open->instruction.at.port};
  }
  return {"127.0.0.1", 8888};
}

inline std::string where_it_parts_from_the_simulator(const Play& play, const Outcome& outcome) {
  std::vector<ProcessEvent> record;
  for (const Event& event : outcome.trace) {
    if (const auto* const one = std::get_if<ProcessEvent>(&event)) record.push_back(*one);
  }
  const auto retraced = verify::retrace(play.server(address_of(record)), record);
  if (!retraced) return retraced.error();
  if (!retraced->parting) return retraced->events == record.size() ? "" : "not all of it was looked at";
  const auto& [process, event] = retraced->parting->at;
  return "process " + std::to_string(process) + ", event " + std::to_string(event) + ": " + retraced->parting->sentence;
}

/// A play on each of the interpreters.
class Parity : public testing::TestWithParam<const Interpreter*> {
 protected:
  void SetUp() override {
    if (const auto why = GetParam()->why_not()) GTEST_SKIP() << *why;
  }
  /// Whatever it was played on, the simulator has that run too.
  static Outcome play(const Play& play) {
    Outcome outcome = GetParam()->play(play);
    EXPECT_EQ(where_it_parts_from_the_simulator(play, outcome), "");
    return outcome;
  }
};

inline auto on_all_interpreters() { return testing::Values(&on_fork, &on_epoll, &on_uring, &on_simulated); }
inline std::string name_of_interpreter(const testing::TestParamInfo<const Interpreter*>& tested) {
  return std::string(tested.param->name);
}

}  // namespace antiphon::parity
