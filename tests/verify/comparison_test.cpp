#include "verify/comparison.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "core/programs/seed.hpp"
#include "core/rewrite.hpp"
#include "interpreters/simulated.hpp"
#include "tests/verify/compared.hpp"
#include "verify/observation.hpp"
#include "verify/planted.hpp"

namespace antiphon::verify {
namespace {

/// What shows of a simulation that takes the path's steps and so many more, as far as events tell.
std::string shown_by(const Server& server, const Asked& asked, const std::vector<Taken>& path, std::size_t more = 0) {
  Observer observer;
  const Scenario scenario = scenario_of(server, scope(asked).scenario, path);
  for (const Event& event : simulate(server, scenario, path.size() + more).trace) observer.see(event);
  return observer.text(observer.take());
}

bool mentions(const Words& trace, std::string_view words) { return joined(trace).find(words) != std::string::npos; }

const Server& stream() {
  static const Server server = *program_named("stream");
  return server;
}
const Server& once() {
  static const Server server = *program_named("once");
  return server;
}

// -- the catalogue ----------------------------------------------------------------------------------------------------

TEST(Comparison, EveryServerEqualsItself) {
  for (const std::string_view name : program_names) {
    const Server server = *program_named(name);
    for (const std::string_view faults : {"none", "interrupts,reset", "accept", "idle", "stop"}) {
      const Comparison result = compared(server, server, {.clients = 1, .messages = 2, .faults = std::string(faults)});
      EXPECT_EQ(result.ruling, Ruling::holds) << name << " " << faults;
      EXPECT_EQ(result.sides[0].states, result.sides[1].states);
      EXPECT_EQ(result.sides[0].silent, result.sides[1].silent);
      EXPECT_EQ(result.sides[0].visible, result.sides[1].visible);
      EXPECT_GT(result.sides[0].states, 50U);
      EXPECT_LT(result.classes, result.sides[0].states);
    }
  }
}

TEST(Comparison, OnceEndsBeforeItsClientAndAnswersOneMessage) {
  const Comparison result = compared(stream(), once());
  EXPECT_EQ(result.ruling, Ruling::violated);
  EXPECT_FALSE(result.distinction);
  ASSERT_TRUE(result.only[0]);
  ASSERT_TRUE(result.only[1]);
  const std::string begins = "client 1 asks for a connection, client 1 is connected";
  EXPECT_EQ(result.only[0]->trace, (Words{begins, R"(client 1 sends "a")", R"(client 1 receives "a")",
                                          R"(client 1 sends "v")", R"(client 1 receives "v")"}));
  EXPECT_EQ(result.only[1]->trace,
            (Words{begins, R"(client 1 sends "a")", R"(client 1 receives "a")", "client 1 receives the server's end"}));
  EXPECT_EQ(shown_by(stream(), one_client, result.only[0]->path), joined(result.only[0]->trace));
  EXPECT_EQ(shown_by(once(), one_client, result.only[1]->path), joined(result.only[1]->trace));
}

TEST(Comparison, TheOriginalLeavesInputUnreadAndResets) {
  const Comparison result = compared(seed::echo_server(), once());
  EXPECT_EQ(result.ruling, Ruling::violated);
  ASSERT_TRUE(result.only[0]);
  EXPECT_EQ(result.only[0]->trace.back(), "client 1 meets a reset");
  EXPECT_EQ(shown_by(seed::echo_server(), one_client, result.only[0]->path), joined(result.only[0]->trace));
}

TEST(Comparison, TheOriginalDiesOfWhatOthersOutlive) {
  const Asked accept{.clients = 1, .messages = 0, .faults = "accept"};
  const Comparison result = compared(seed::echo_server(), once(), accept);
  ASSERT_TRUE(result.only[0]);
  EXPECT_TRUE(mentions(result.only[0]->trace, "the server's first process ends: ")) << joined(result.only[0]->trace);
}

TEST(Comparison, SymmetryChangesNoVerdict) {
  const std::vector<std::pair<Server, Server>> pairs{
      {stream(), stream()}, {stream(), once()}, {once(), seed::echo_server()}};
  for (const auto& [a, b] : pairs) {
    for (const std::string_view faults : {"none", "reset"}) {
      const Asked two{.clients = 2, .messages = 1, .faults = std::string(faults)};
      const Comparison plain = compared(a, b, two, false);
      const Comparison reduced = compared(a, b, two);
      EXPECT_EQ(plain.ruling, reduced.ruling);
      EXPECT_LT(reduced.sides[0].states, plain.sides[0].states);
      for (std::size_t side = 0; side < 2; ++side) {
        ASSERT_EQ(plain.only[side].has_value(), reduced.only[side].has_value());
        if (plain.only[side]) {
          EXPECT_EQ(plain.only[side]->trace.size(), reduced.only[side]->trace.size());
        }
      }
    }
  }
}

// -- silent steps -----------------------------------------------------------------------------------------------------

/// The stream, with something done before each Recv.
template <class Before>
Server stream_with(Before before) {
  return rewrite(stream(), [=]<class I>(const I& instruction) {
    using Answer = Program<Net, typename I::Response>;
    if constexpr (std::same_as<I, Recv>) {
      return Answer(before(instruction) >> [=](const Unit&) { return Answer(instruction); });
    } else {
      return Answer(instruction);
    }
  });
}

TEST(SilentSteps, ARestDoesNotShow) {
  const Server restful = stream_with([](const Recv&) { return ignore(Sleep{5}); });
  for (const std::string_view faults : {"none", "interrupts"}) {
    const Comparison result = compared(stream(), restful, {.clients = 1, .messages = 2, .faults = std::string(faults)});
    EXPECT_EQ(result.ruling, Ruling::holds) << faults;
    EXPECT_LT(result.sides[0].states, result.sides[1].states);
  }
}

TEST(SilentSteps, AnotherByteShows) {
  const Server talkative =
      stream_with([](const Recv& recv) { return ignore(Send{recv.from, Bytes::copy_of("!"), {}}); });
  const Comparison result = compared(stream(), talkative);
  EXPECT_EQ(result.ruling, Ruling::violated);
  ASSERT_TRUE(result.only[1]);
  EXPECT_EQ(result.only[1]->trace.back(), R"(client 1 receives "!")");
}

/// What becomes of a Recv that was interrupted.
template <class Then>
Server interrupted_stream(Then then) {
  return rewrite(stream(), [=]<class I>(const I& instruction) {
    using Answer = Program<Net, typename I::Response>;
    if constexpr (std::same_as<I, Recv>) {
      return Answer(instruction >> [=](const Result<Bytes>& got) -> Answer {
        if (got || got.error() != Errno::INTR) return ret(got);
        return then(instruction);
      });
    } else {
      return Answer(instruction);
    }
  });
}

TEST(SilentSteps, ARetryDoesNotShowAndGivingUpDoes) {
  const Server tries_once_more = interrupted_stream([](const Recv& recv) { return Program<Net, Result<Bytes>>(recv); });
  const Server gives_up =
      interrupted_stream([](const Recv&) { return Program<Net, Result<Bytes>>(ret(Result<Bytes>(Bytes()))); });
  EXPECT_EQ(compared(stream(), tries_once_more, {.clients = 1, .messages = 2, .faults = "interrupts"}).ruling,
            Ruling::holds);
  EXPECT_EQ(compared(stream(), gives_up).ruling, Ruling::holds);  // without interrupts
  const Comparison result = compared(stream(), gives_up, {.clients = 1, .messages = 2, .faults = "interrupts"});
  EXPECT_EQ(result.ruling, Ruling::violated);
  EXPECT_FALSE(result.only[0]);
  ASSERT_TRUE(result.only[1]);
  EXPECT_EQ(shown_by(gives_up, {.clients = 1, .messages = 2, .faults = "interrupts"}, result.only[1]->path),
            joined(result.only[1]->trace));
}

/// The stream's session with its binds nested to the left.
auto rebracketed_session(const SessionOptions& options) {
  return [=](Socket client) -> Program<Net, Unit> {
    using Turn = Step<Unit, Unit>;
    const auto turn = [=](const Unit&) {
      return (echo::receive(client, options) >> [=](const Result<Bytes>& message) -> Program<Net, Result<Unit>> {
               if (!message || message->empty()) return ret(Result<Unit>(failed(Errno::PIPE)));
               return echo::send_all(client, *message, options.until);
             }) >>
             [](const Result<Unit>& sent) { return ret(sent ? Turn{Continue{Unit{}}} : Turn{Break{Unit{}}}); };
    };
    return (iter(Unit{}, turn) >> [](const Unit&) { return ret(Unit{}); }) >>
           [=](const Unit&) { return echo::hang_up(client); };
  };
}

TEST(SilentSteps, HowBindsAreNestedDoesNotShow) {
  const ProgramOptions options;
  const Server rebracketed = tcp_server(options.server, rebracketed_session(options.session));
  for (const std::string_view faults : {"none", "interrupts,reset", "stop", "idle"}) {
    const Comparison result =
        compared(stream(), rebracketed, {.clients = 1, .messages = 2, .faults = std::string(faults)});
    EXPECT_EQ(result.ruling, Ruling::holds) << faults;
  }
}

// -- what shows -------------------------------------------------------------------------------------------------------

TEST(Shows, AnEndBeforeAnythingHappened) {
  const Server well = ret(Result<Unit>());
  const Server ill = ret(Result<Unit>(failed(Errno::IO)));
  EXPECT_EQ(compared(well, well).ruling, Ruling::holds);
  const Comparison result = compared(well, ill);
  EXPECT_EQ(result.ruling, Ruling::violated);
  ASSERT_TRUE(result.only[1]);
  EXPECT_EQ(result.only[1]->trace, (Words{"the server's first process ends: EIO"}));
}

/// Opens a second socket that nobody ever uses.
TEST(Shows, WhatIsHeldAtRest) {
  const Server leaky = OpenSocket{{"127.0.0.1", 9999}} >> [](const Result<Socket>&) { return stream(); };
  const Comparison result = compared(stream(), leaky);
  EXPECT_EQ(result.ruling, Ruling::violated);
  ASSERT_TRUE(result.only[1]);
  EXPECT_EQ(result.only[1]->trace.back(), "all is at rest: 1 process lives, with 2 listeners and 0 connections");
  EXPECT_EQ(result.only[0]->trace.back(), "all is at rest: 1 process lives, with 1 listener and 0 connections");
}

TEST(Shows, ADrainOnceThereIsAStop) {
  const auto planted = planted_violations(ProgramOptions{});
  const auto cut = std::ranges::find(planted, "drained", &Planted::clause);
  ASSERT_NE(cut, planted.end());
  EXPECT_EQ(compared(stream(), cut->server).ruling, Ruling::holds);
  const Comparison result = compared(stream(), cut->server, {.clients = 1, .messages = 2, .faults = "stop"});
  EXPECT_EQ(result.ruling, Ruling::violated);
  ASSERT_TRUE(result.only[1]);
  EXPECT_TRUE(mentions(result.only[1]->trace, "the operator asks for a stop"));
}

/// Serves its clients itself, one after the other.
Server one_at_a_time() {
  return listening() >> [](const Socket& listener) {
    return iter(Unit{}, [=](const Unit&) {
      return next_client(listener) >> [](const Socket& client) {
        return stream_session({})(client) >>
               [](const Unit&) { return ret(Step<Unit, Result<Unit>>{Continue{Unit{}}}); };
      };
    });
  };
}

TEST(Shows, WhoWaitsForAnother) {
  EXPECT_EQ(compared(stream(), one_at_a_time(), {.clients = 1}).ruling, Ruling::holds);
  const Comparison result = compared(stream(), one_at_a_time(), {.clients = 2, .messages = 1});
  EXPECT_EQ(result.ruling, Ruling::violated);
  EXPECT_FALSE(result.only[1]);
  ASSERT_TRUE(result.only[0]);
  EXPECT_TRUE(mentions(result.only[0]->trace, "client 2 receives "));
  EXPECT_FALSE(mentions(result.only[0]->trace, "client 1 ends its side"));
}

// -- equal traces are not enough --------------------------------------------------------------------------------------

/// A client, and then an end that depends on whether a Sleep was interrupted: after the client came, or before.
Server chooses_late() {
  return listening() >> [](const Socket& listener) {
    return next_client(listener) >>
           [](const Socket&) { return Sleep{1} >> [](const Result<Unit>& end) { return ret(end); }; };
  };
}
Server chooses_early() {
  return listening() >> [](const Socket& listener) {
    return Sleep{1} >>
           [=](const Result<Unit>& end) { return next_client(listener) >> [=](const Socket&) { return ret(end); }; };
  };
}

/// a.(b + c) and a.b + a.c, where a is the client's connection and b and c are the two ends.
TEST(Comparison, AChoiceThatIsMadeTooEarly) {
  const Asked asked{.clients = 1, .messages = 0, .faults = "interrupts"};
  const Comparison result = compared(chooses_late(), chooses_early(), asked);
  EXPECT_EQ(result.ruling, Ruling::violated);
  EXPECT_FALSE(result.only[0]);
  EXPECT_FALSE(result.only[1]);
  ASSERT_TRUE(result.distinction);
  const Distinction& found = *result.distinction;
  EXPECT_EQ(found.who_can, 0U);
  EXPECT_TRUE(mentions({found.then}, "the server's first process ends: ")) << found.then;
  Words all = found.trace;
  EXPECT_EQ(shown_by(chooses_early(), asked, found.cannot), joined(all));
  // From there on it ends another way, whatever comes.
  const std::string to_the_end = shown_by(chooses_early(), asked, found.cannot, 1000);
  EXPECT_NE(to_the_end.find("the server's first process ends: "), std::string::npos);
  EXPECT_EQ(to_the_end.find(found.then), std::string::npos) << found.then;
  all.push_back(found.then);
  EXPECT_EQ(shown_by(chooses_late(), asked, found.can), joined(all));
}

// -- what is no verdict -----------------------------------------------------------------------------------------------

TEST(Comparison, WhatDoesNotFitIsNotEqual) {
  CompareOptions options;
  for (const std::uint64_t memory : {1'000, 40'000, 200'000, 400'000}) {
    options.most_memory = memory;
    const Comparison result = compare(stream(), stream(), scope({.clients = 2}), options);
    EXPECT_EQ(result.ruling, Ruling::incomplete);
    ASSERT_FALSE(result.remarks.empty());
    EXPECT_NE(result.remarks.front().find("the memory was full"), std::string::npos);
  }
}

TEST(Comparison, NeedsContentThatNobodyLooksAt) {
  const Server server = tcp_server(ServerOptions{}, [](Socket client) -> Program<Net, Unit> {
    return Recv{client, 16, {}} >> [=](const Result<Bytes>& got) -> Program<Net, Unit> {
      if (got && got->view() == "x") return ret(Unit{});
      return ignore(Close{client});
    };
  });
  const Comparison result = compared(server, server);
  EXPECT_EQ(result.ruling, Ruling::incomplete);
  ASSERT_FALSE(result.remarks.empty());
  EXPECT_NE(result.remarks.front().find("looks at the content"), std::string::npos);
}

}  // namespace
}  // namespace antiphon::verify
