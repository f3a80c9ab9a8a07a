#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>

#include "tests/verify/compared.hpp"

namespace antiphon::verify {
namespace {

/// The laws of programs (tests/core/laws_test.cpp), for servers.

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
  return compared(serving(left), serving(right), {.clients = 1, .messages = 2, .size = 2});
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
