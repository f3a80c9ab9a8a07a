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
#include "verify/generate.hpp"
#include "verify/observation.hpp"
#include "verify/planted.hpp"

namespace antiphon::verify {
namespace {

struct Asked {
  std::uint32_t clients = 1;
  std::uint32_t messages = 2;
  std::uint32_t size = 1;
  std::string faults = "none";
};

Scope scope(const Asked& asked) {
  ScopeRequest request;
  request.clients = asked.clients;
  request.messages = asked.messages;
  request.size = asked.size;
  request.faults = *faults_named(asked.faults);
  return *scope_of(request);
}

Comparison compared(const Server& a, const Server& b, const Asked& asked = {}, bool symmetry = true) {
  CompareOptions options;
  options.symmetry = symmetry;
  return compare(a, b, scope(asked), options);
}

using Words = std::vector<std::string>;

std::string joined(const Words& words) {
  std::string text;
  for (const std::string& one : words) text += (text.empty() ? "" : ", ") + one;
  return text;
}

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
      const Comparison result = compared(server, server, {.faults = std::string(faults)});
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
  EXPECT_EQ(shown_by(stream(), {}, result.only[0]->path), joined(result.only[0]->trace));
  EXPECT_EQ(shown_by(once(), {}, result.only[1]->path), joined(result.only[1]->trace));
}

TEST(Comparison, TheOriginalLeavesInputUnreadAndResets) {
  const Comparison result = compared(seed::echo_server(), once());
  EXPECT_EQ(result.ruling, Ruling::violated);
  ASSERT_TRUE(result.only[0]);
  EXPECT_EQ(result.only[0]->trace.back(), "client 1 meets a reset");
  EXPECT_EQ(shown_by(seed::echo_server(), {}, result.only[0]->path), joined(result.only[0]->trace));
}

TEST(Comparison, TheOriginalDiesOfWhatOthersOutlive) {
  const Asked accept{.messages = 0, .faults = "accept"};
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
    const Comparison result = compared(stream(), restful, {.faults = std::string(faults)});
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
  EXPECT_EQ(compared(stream(), tries_once_more, {.faults = "interrupts"}).ruling, Ruling::holds);
  EXPECT_EQ(compared(stream(), gives_up).ruling, Ruling::holds);  // without interrupts
  const Comparison result = compared(stream(), gives_up, {.faults = "interrupts"});
  EXPECT_EQ(result.ruling, Ruling::violated);
  EXPECT_FALSE(result.only[0]);
  ASSERT_TRUE(result.only[1]);
  EXPECT_EQ(shown_by(gives_up, {.faults = "interrupts"}, result.only[1]->path), joined(result.only[1]->trace));
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
    const Comparison result = compared(stream(), rebracketed, {.faults = std::string(faults)});
    EXPECT_EQ(result.ruling, Ruling::holds) << faults;
  }
}

// -- small servers ---------------------------------------------------------------------------------------------------

Program<Net, Socket> listening() {
  return OpenSocket{{"127.0.0.1", 8888}} >> [](const Result<Socket>& listener) {
    return Listen{*listener, 8} >> [=](const Result<Endpoint>&) { return ret(*listener); };
  };
}

/// The next client; an interrupt is no reason to give up.
Program<Net, Socket> next_client(Socket listener) {
  using Turn = Step<Unit, Socket>;
  return iter(Unit{}, [=](const Unit&) {
    return Accept{listener} >>
           [](const Result<Socket>& client) { return ret(client ? Turn{Break{*client}} : Turn{Continue{Unit{}}}); };
  });
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
  const Comparison result = compared(stream(), cut->server, {.faults = "stop"});
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
  const Asked asked{.messages = 0, .faults = "interrupts"};
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

// -- the laws of programs (tests/core/laws_test.cpp), for servers -----------------------------------------------------

using Numbers = Program<Net, int>;
using Turn = Step<int, int>;
using Turns = Program<Net, Turn>;

/// Serves one client with what was made for its socket, and ends with the number.
template <class Make>
Server serving(Make make) {
  return listening() >> [=](const Socket& listener) {
    return next_client(listener) >> [=](const Socket& client) {
      return make(client) >>
             [](const int& number) { return ret(number == 0 ? Result<Unit>() : Result<Unit>(failed(Errno{number}))); };
    };
  };
}

/// How many bytes came: 0, 1 or 2.
Numbers hear(Socket client) {
  return Recv{client, 2, {}} >> [](const Result<Bytes>& got) { return ret(got ? static_cast<int>(got->size()) : 3); };
}
auto hear_more(Socket client) {
  return [=](const int& number) -> Numbers { return map(hear(client), [=](int more) { return (number + more) % 4; }); };
}
/// Sends the number, and goes on with another one.
auto say(Socket client) {
  return [=](const int& number) -> Numbers {
    return Send{client, Bytes::copy_of(std::string(1, static_cast<char>('p' + number))), {}} >>
           [=](const Result<std::size_t>& sent) { return ret(sent ? (3 * number + 1) % 4 : 3); };
  };
}
/// Says and hears, until nothing more comes.
auto talk(Socket client) {
  return [=](const int& state) -> Turns {
    return hear(client) >> [=](const int& more) -> Turns {
      if (more == 0) return ret(Turn{Break{state}});
      return map(say(client)(state), [=](int next) { return Turn{Continue{(next + more) % 4}}; });
    };
  };
}
/// Hears once; an even number ends the loop.
auto listen_in(Socket client) {
  return [=](const int& state) -> Turns {
    return map(hear(client), [=](int more) {
      return more % 2 == 0 ? Turn{Break{(state + more) % 4}} : Turn{Continue{(state + 1) % 4}};
    });
  };
}

const int* goes_on(const Turn& turn) {
  const auto* const again = std::get_if<0>(&turn);
  return again == nullptr ? nullptr : &again->state;
}
int result_of(const Turn& turn) { return std::get<1>(turn).result; }

template <class Left, class Right>
Comparison law(Left left, Right right) {
  return compared(serving(left), serving(right), {.messages = 2, .size = 2});
}

template <class Left, class Right>
void expect_law(Left left, Right right) {
  const Comparison result = law(left, right);
  EXPECT_EQ(result.ruling, Ruling::holds);
  EXPECT_GT(result.sides[0].states, 30U);
  for (std::size_t side = 0; side < 2; ++side) {
    if (result.only[side]) ADD_FAILURE() << "only side " << side << ": " << joined(result.only[side]->trace);
  }
}

template <class Left, class Right>
void expect_refuted(Left left, Right right) {
  const Comparison result = law(left, right);
  EXPECT_EQ(result.ruling, Ruling::violated);
  EXPECT_TRUE(result.only[0] || result.only[1]);
}

TEST(LawsOfServers, LeftIdentity) {
  expect_law([](Socket client) { return Numbers(ret(2) >> say(client)); },
             [](Socket client) { return say(client)(2); });
}

TEST(LawsOfServers, RightIdentity) {
  expect_law([](Socket client) { return hear(client) >> [](const int& x) -> Numbers { return ret(x); }; }, hear);
}

TEST(LawsOfServers, Associativity) {
  expect_law(
      [](Socket client) { return (hear(client) >> say(client)) >> hear_more(client); },
      [](Socket client) { return hear(client) >> [=](const int& x) { return say(client)(x) >> hear_more(client); }; });
}

TEST(LawsOfServers, AnInstructionBindsAsItsProgramDoes) {
  const auto size = [](const Result<Bytes>& got) { return ret(got ? static_cast<int>(got->size()) : 3); };
  expect_law([=](Socket client) -> Numbers { return Recv{client, 2, {}} >> size; },
             [=](Socket client) -> Numbers { return Program<Net, Result<Bytes>>(Recv{client, 2, {}}) >> size; });
}

TEST(LawsOfServers, MapIdentity) {
  expect_law([](Socket client) { return map(hear(client), [](int x) { return x; }); }, hear);
}

TEST(LawsOfServers, MapComposition) {
  const auto f = [](int x) { return (2 * x + 1) % 4; };
  const auto g = [](int x) { return 3 - x; };
  expect_law([=](Socket client) { return map(map(hear(client), f), g); },
             [=](Socket client) { return map(hear(client), [=](int x) { return g(f(x)); }); });
}

TEST(LawsOfServers, MapIsBindWithRet) {
  const auto f = [](int x) { return 3 - x; };
  expect_law([=](Socket client) { return map(hear(client), f); },
             [=](Socket client) { return hear(client) >> [=](const int& x) { return ret(f(x)); }; });
}

/// One turn, and then what the turn says.
template <class Body>
Numbers unfolded(int state, Body body) {
  return body(state) >> [=](const Turn& turn) -> Numbers {
    if (const int* const next = goes_on(turn)) return iter(*next, body);
    return ret(result_of(turn));
  };
}

TEST(LawsOfServers, Fixpoint) {
  expect_law([](Socket client) { return iter(1, talk(client)); },
             [](Socket client) { return unfolded(1, talk(client)); });
}

TEST(LawsOfServers, Naturality) {
  expect_law([](Socket client) { return iter(1, talk(client)) >> say(client); },
             [](Socket client) {
               return iter(1, [=](const int& state) {
                 return talk(client)(state) >> [=](const Turn& turn) -> Turns {
                   if (goes_on(turn) != nullptr) return ret(turn);
                   return map(say(client)(result_of(turn)), [](int x) { return Turn{Break{x}}; });
                 };
               });
             });
}

TEST(LawsOfServers, NaturalityOfMap) {
  const auto g = [](int x) { return 3 - x; };
  expect_law([=](Socket client) { return map(iter(1, talk(client)), g); },
             [=](Socket client) {
               return iter(1, [=](const int& state) {
                 return map(talk(client)(state), [=](const Turn& turn) {
                   return goes_on(turn) != nullptr ? turn : Turn{Break{g(result_of(turn))}};
                 });
               });
             });
}

TEST(LawsOfServers, Codiagonal) {
  using Inner = Step<int, Turn>;
  const auto body = [](Socket client) {
    return [=](const int& state) {
      return map(listen_in(client)(state), [](const Turn& turn) -> Inner {
        if (const int* const next = goes_on(turn)) return Continue{*next};
        const int x = result_of(turn);
        return x % 2 != 0 ? Inner{Break{Turn{Continue{x}}}} : Inner{Break{Turn{Break{x}}}};
      });
    };
  };
  expect_law([=](Socket client) { return iter(1, [=](const int& state) { return iter(state, body(client)); }); },
             [=](Socket client) {
               return iter(1, [=](const int& state) {
                 return map(body(client)(state), [](const Inner& turn) -> Turn {
                   if (const auto* const again = std::get_if<0>(&turn)) return Continue{again->state};
                   return std::get<1>(turn).result;
                 });
               });
             });
}

TEST(LawsOfServers, Dinaturality) {
  const auto one_after_other = [](auto first, auto second) {
    return [=](const int& state) {
      return first(state) >> [=](const Turn& turn) -> Turns {
        if (const int* const next = goes_on(turn)) return second(*next);
        return ret(turn);
      };
    };
  };
  expect_law([=](Socket client) { return iter(1, one_after_other(talk(client), listen_in(client))); },
             [=](Socket client) {
               return talk(client)(1) >> [=](const Turn& turn) -> Numbers {
                 if (const int* const next = goes_on(turn)) {
                   return iter(*next, one_after_other(listen_in(client), talk(client)));
                 }
                 return ret(result_of(turn));
               };
             });
}

TEST(LawsOfServers, Uniformity) {
  using Counted = std::pair<int, int>;
  expect_law(
      [](Socket client) {
        return iter(Counted(1, 0), [=](const Counted& state) {
          return map(talk(client)(state.first), [turns = state.second](const Turn& turn) -> Step<Counted, int> {
            if (const int* const next = goes_on(turn)) return Continue{Counted(*next, turns + 1)};
            return Break{result_of(turn)};
          });
        });
      },
      [](Socket client) { return iter(1, talk(client)); });
}

TEST(WrongLawsOfServers, ALoopThatIsUnrolledOnceTooOften) {
  expect_refuted([](Socket client) { return iter(1, listen_in(client)); },
                 [](Socket client) {
                   return listen_in(client)(1) >> [=](const Turn& turn) -> Numbers {
                     if (const int* const next = goes_on(turn)) return unfolded(*next, listen_in(client));
                     return unfolded(result_of(turn) + 1, listen_in(client));
                   };
                 });
}

TEST(WrongLawsOfServers, ABindThatRunsItsFirstPartTwice) {
  expect_refuted([](Socket client) { return hear(client) >> [=](const int&) { return hear(client); }; }, hear);
}

TEST(WrongLawsOfServers, EffectsOutOfOrder) {
  expect_refuted([](Socket client) { return ignore(hear(client)) >> say(client)(1); },
                 [](Socket client) {
                   return say(client)(1) >> [=](const int& x) { return map(hear(client), [=](int) { return x; }); };
                 });
}

TEST(WrongLawsOfServers, MapsInTheWrongOrder) {
  const auto f = [](int x) { return (2 * x + 1) % 4; };
  const auto g = [](int x) { return 3 - x; };
  expect_refuted([=](Socket client) { return map(map(hear(client), f), g); },
                 [=](Socket client) { return map(map(hear(client), g), f); });
}

TEST(WrongLawsOfServers, AWrongResultAlone) {
  expect_refuted([](Socket client) { return map(hear(client), [](int x) { return x == 2 ? 1 : x; }); }, hear);
}

}  // namespace
}  // namespace antiphon::verify
