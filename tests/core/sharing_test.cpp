#include <gtest/gtest.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/pool.hpp"
#include "core/process.hpp"
#include "core/programs/catalogue.hpp"
#include "core/rewrite.hpp"
#include "tests/core/toy.hpp"

/// Processes that stand at the same place of a program share what they are made of, and nothing of it shows.

namespace antiphon {
namespace {

using toy::Ask;
using toy::Choose;
using toy::hear;
using toy::Heard;
using toy::step;
using toy::Tell;
using toy::Toy;

/// At the end of each test no block is left: what is kept goes with its program.
class Sharing : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(pool::outstanding(), before_); }

 private:
  std::ptrdiff_t before_ = pool::outstanding();
};

// -- Sessions ---------------------------------------------------------------------------------------------------

using Session = Process<Net, Result<Unit>>;

/// Goes on until an I is pending. Everything succeeds; Fork answers as told.
template <Instruction I>
void go_to(Session& process, const Forked& forked) {
  bool there = false;
  while (!there && !process.finished()) {
    process.pending([&]<class J>(const J&) {
      if constexpr (std::same_as<J, I>) {
        there = true;
      } else if constexpr (std::same_as<J, Fork>) {
        process.answer<Fork>(forked);
      } else if constexpr (std::same_as<J, Accept>) {
        process.answer<Accept>(Socket{1});
      } else {
        process.answer<J>(typename J::Response());
      }
    });
  }
}

/// A server that accepts, and the sessions it forks.
struct House {
  explicit House(std::string_view name) : acceptor(*program_named(name)) { go_to<Accept>(acceptor, Child{}); }

  /// One more session, waiting for its client.
  void open() {
    acceptor.answer<Accept>(Socket{1});
    Session child = acceptor;
    go_to<Recv>(child, Child{});
    go_to<Accept>(acceptor, Parent{Pid{++last_pid}});
    sessions.push_back(std::move(child));
  }

  Session acceptor;
  std::int64_t last_pid = 0;
  std::vector<Session> sessions;
};

void echo(Session& session) {
  session.answer<Recv>(Bytes::copy_of("ping"));
  session.answer<Send>(4U);
}

std::string pending(const Session& session) {
  std::string name = "the end";
  session.pending([&](const auto& instruction) { name = instruction.name; });
  return name;
}

TEST_F(Sharing, AThousandIdleSessionsAreOne) {
  for (const std::string_view name : program_names) {
    House house(name);
    house.open();
    const std::ptrdiff_t one = pool::outstanding();
    for (int n = 0; n < 1000; ++n) house.open();
    EXPECT_EQ(pool::outstanding(), one) << name;
  }
}

TEST_F(Sharing, SessionsThatEchoedAreOneAgain) {
  House house("stream");
  house.open();
  const std::ptrdiff_t one = pool::outstanding();
  for (int n = 0; n < 1000; ++n) house.open();
  for (Session& session : house.sessions) echo(session);
  EXPECT_EQ(pool::outstanding(), one);
}

TEST_F(Sharing, AnAcceptThatFailedFirstChangesNothing) {
  House house("stream");
  house.acceptor.answer<Accept>(failed(Errno::CONNABORTED));
  house.open();
  const std::ptrdiff_t one = pool::outstanding();
  for (int n = 0; n < 1000; ++n) house.open();
  EXPECT_EQ(pool::outstanding(), one);
}

TEST_F(Sharing, SessionsThatDivergeDoNotDisturbEachOther) {
  House house("stream");
  for (int n = 0; n < 4; ++n) house.open();
  Session& reset = house.sessions[0];
  Session& tired = house.sessions[1];
  Session& busy = house.sessions[2];
  reset.answer<Recv>(failed(Errno::CONNRESET));
  tired.answer<Recv>(failed(Errno::NOMEM));
  busy.answer<Recv>(Bytes::copy_of("ping"));
  EXPECT_EQ(pending(reset), "Close");
  EXPECT_EQ(pending(tired), "Sleep");
  EXPECT_EQ(pending(busy), "Send");
  EXPECT_EQ(pending(house.sessions[3]), "Recv");
  reset.answer<Close>(Unit{});
  EXPECT_TRUE(reset.finished());
  tired.answer<Sleep>(Unit{});
  busy.answer<Send>(1U);
  busy.pending([]<class I>(const I& instruction) {
    if constexpr (std::same_as<I, Send>) {
      EXPECT_EQ(instruction.bytes.view(), "ing");
    } else {
      ADD_FAILURE() << I::name;
    }
  });
  tired.answer<Recv>(failed(Errno::NOMEM));
  tired.pending([]<class I>(const I& instruction) {
    if constexpr (std::same_as<I, Sleep>) {
      EXPECT_EQ(instruction.wait_ms, 2);
    } else {
      ADD_FAILURE() << I::name;
    }
  });
  echo(house.sessions[3]);
  EXPECT_EQ(pending(house.sessions[3]), "Recv");
}

TEST_F(Sharing, ASessionOutlivesItsServer) {
  std::optional<House> house("stream");
  house->open();
  Session session = house->sessions[0];
  house.reset();
  echo(session);
  EXPECT_EQ(pending(session), "Recv");
}

// -- Responses --------------------------------------------------------------------------------------------------

static_assert(Plain<Result<Unit>> && Plain<Result<Socket>> && Plain<Result<Forked>> && Plain<Result<std::size_t>>);
static_assert(Plain<Unit> && Plain<echo::Rest> && Plain<bool>);
static_assert(!Plain<Bytes> && !Plain<Result<Bytes>> && !Plain<Result<Endpoint>> && !Plain<std::string_view>);

/// For ever: asks, and tells the answer.
Program<Toy, Unit> parrot() {
  using Turn = Step<Unit, Unit>;
  return iter(Unit{}, [](const Unit&) {
    return Ask{} >> [](const int& answer) { return Tell{answer} >> ret(Turn{Continue{Unit{}}}); };
  });
}

TEST_F(Sharing, WhatFollowsOneResponseDoesNotFollowAnother) {
  const Heard<Unit> heard = hear(parrot(), {7, 0, 7, 0, 8, 0, 7, 0, 9, 0}, 10);
  EXPECT_EQ(heard.said, (std::vector<std::string>{"ask", "tell 7", "ask", "tell 7", "ask", "tell 8", "ask", "tell 7",
                                                  "ask", "tell 9"}));
}

TEST_F(Sharing, WhatFollowsAResponseIsMadeOnce) {
  Process<Toy, Unit> one(parrot());
  for (const int answer : {7, 0, 7}) step(one, answer);
  const std::ptrdiff_t before = pool::outstanding();
  Process other = one;
  EXPECT_EQ(step(other, 0), "tell 7");
  EXPECT_EQ(step(other, 7), "ask");
  EXPECT_EQ(pool::outstanding(), before);
}

TEST_F(Sharing, APartOfTwoProgramsGoesOnInEach) {
  const auto part = Program<Toy, int>(Ask{}) >> [](const int& n) { return ret(n + 1); };
  Process one(part >> [](const int& n) { return ret(10 * n); });
  Process other(part >> [](const int& n) { return ret(100 * n); });
  step(one, 1);
  step(other, 1);
  EXPECT_EQ(one.result(), 20);
  EXPECT_EQ(other.result(), 200);
}

TEST_F(Sharing, AProgramOfItsOwnSharesNothing) {
  Process<Toy, Unit> one(parrot());
  const std::ptrdiff_t before = pool::outstanding();
  const Process<Toy, Unit> other(parrot());
  EXPECT_GT(pool::outstanding(), before);
}

// -- Looks ------------------------------------------------------------------------------------------------------

Bytes marked(std::size_t size) {
  Buffer* const buffer = Buffer::make(size);
  buffer->marked = true;
  return {buffer, size};
}

TEST_F(Sharing, EveryLookOfATurnIsCounted) {
  using Turn = Step<Unit, Unit>;
  const auto program = iter(Unit{}, [bytes = marked(1)](const Unit&) {
    static_cast<void>(bytes.view());
    return Tell{1} >> ret(Turn{Continue{Unit{}}});
  });
  const std::uint64_t before = looks();
  hear(program, {}, 10);
  EXPECT_EQ(looks() - before, 11U);
}

TEST_F(Sharing, EveryLookOfAContinuationIsCounted) {
  using Turn = Step<Unit, Unit>;
  const auto program = iter(Unit{}, [bytes = marked(1)](const Unit&) {
    return Ask{} >> [bytes](const int&) {
      static_cast<void>(bytes.view());
      return ret(Turn{Continue{Unit{}}});
    };
  });
  const std::uint64_t before = looks();
  hear(program, {}, 10);
  EXPECT_EQ(looks() - before, 10U);
}

// -- Bounds -----------------------------------------------------------------------------------------------------

/// The most blocks at once while a process takes so many steps.
template <class P>
std::ptrdiff_t most_blocks(P& process, int steps) {
  std::ptrdiff_t most = 0;
  for (int n = 0; n < steps; ++n) {
    step(process, 1);
    most = std::max(most, pool::outstanding());
  }
  return most;
}

constexpr int million = 1'000'000;

TEST_F(Sharing, ARewrittenProgramDoesNotGrow) {
  Process<Toy, Unit> process(rewrite(parrot(), []<class I>(const I& instruction) { return instruction; }));
  const std::ptrdiff_t early = most_blocks(process, 1000);
  EXPECT_EQ(most_blocks(process, million), early);
}

using Turns = Program<Toy, Step<Unit, Unit>>;

/// A turn that never ends, though no loop is in it.
Turns unfold(int so_far) {
  return Tell{so_far} >> [so_far](const Unit&) { return unfold(so_far + 1); };
}

TEST_F(Sharing, ATurnThatUnfoldsForEverDoesNotGrow) {
  const Program<Toy, Unit> program = iter(Unit{}, [](const Unit&) { return unfold(0); });
  Process process(program);
  const std::ptrdiff_t early = most_blocks(process, 1000);
  EXPECT_EQ(most_blocks(process, million), early);
  EXPECT_LT(early, 50);
}

/// Loops in each other: the turn of each one is the next, and the turn of the last is Tell.
Program<Toy, Unit> nested(int left) {
  using Turn = Step<Unit, Unit>;
  return iter(Unit{}, [left](const Unit&) {
    const Program<Toy, Unit> inner = left == 0 ? Program<Toy, Unit>(Tell{0}) : nested(left - 1);
    return map(inner, [](const Unit& over) { return Turn{Break{over}}; });
  });
}

TEST_F(Sharing, NestedLoopsKeepNoMoreThanTheFirstFew) {
  const Program<Toy, Unit> program = nested(1000);
  EXPECT_TRUE(hear(program).result);
  EXPECT_LT(pool::outstanding(), 100);
}

// -- Identity ---------------------------------------------------------------------------------------------------

TEST_F(Sharing, ProcessesWithIdentityShareNoFrame) {
  const auto program = iter(Unit{}, [](const Unit&) {
    return Choose{0} >> [](const bool& go_on) {
      return ret(go_on ? Step<Unit, Unit>{Continue{Unit{}}} : Step<Unit, Unit>{Break{Unit{}}});
    };
  });
  using P = Process<Effects<Choose>, Unit, Identified>;
  const P one(program, Identified{Digest(1)});
  const std::ptrdiff_t before = pool::outstanding();
  P other(program, Identified{Digest(2)});
  EXPECT_EQ(pool::outstanding(), before + 1);
  step(other, 1);
  EXPECT_EQ(other.digest(), P(program, Identified{Digest(2)}).digest());
}

// -- Ends -------------------------------------------------------------------------------------------------------

/// Starts a program when it is destroyed, and says where that stands.
struct Starter {
  const Program<Toy, int>* program;
  std::string* said;

  Starter(const Program<Toy, int>* what, std::string* where) : program(what), said(where) {}
  Starter(const Starter&) = default;
  Starter& operator=(const Starter&) = default;
  ~Starter() {
    const Process process(*program);
    process.pending([&](const auto& instruction) { *said = text_of(instruction); });
  }
};

TEST_F(Sharing, AFrameThatWaitsToBeFreedIsNotFound) {
  std::string said;
  Program<Toy, int> program{detail::Ref()};
  program = Choose{0} >> [&program, &said](const bool&) -> Program<Toy, int> {
    return Program<Toy, int>(Ask{}) >>
           [starter = Starter(&program, &said)](const int& n) { return ret(n + (starter.said->empty() ? 0 : 1)); };
  } >> [](const int& n) { return ret(n); };
  {
    Process process(program);
    step(process, 0);
    said.clear();
  }
  EXPECT_EQ(said, "choose 0");
}

}  // namespace
}  // namespace antiphon
