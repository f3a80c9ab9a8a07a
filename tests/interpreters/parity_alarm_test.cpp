#include <gtest/gtest.h>

#include "tests/interpreters/parity_plays.hpp"

/// Alarms, on each of the interpreters.

namespace antiphon::parity {
namespace {

using ParityOfAlarms = Parity;
INSTANTIATE_TEST_SUITE_P(Interpreters, ParityOfAlarms, on_all_interpreters(), name_of_interpreter);

constexpr Alarm none{forever_ms};

TEST_P(ParityOfAlarms, OneThatHasRungCutsShortWhatWouldWait) {
  const auto run =
      play({.server = serving(Alarm{settled_ms}, read(9), read(9), write(1), settle(), read(2), read(9), Close{first}),
            .clients = {{connect, Await{1}, ClientSends{2}}}});
  EXPECT_EQ(run.process(0), served("Alarm; Recv Expired; Recv Expired; Send 1; Sleep; Recv 2; Recv Expired; Close"));
  EXPECT_EQ(run.client(0), "sent 2; received 1; end");
}

TEST_P(ParityOfAlarms, TheNextOneTakesItsPlace) {
  const auto run = play({.server = serving(Alarm{0}, read(9), Alarm{-5}, read(9), none, write(1), read(9),
                                           Alarm{20'000}, write(1), read(9), Close{first}),
                         .clients = {{connect, Await{1}, pause(), ClientSends{2}, Await{1}, pause(), ClientSends{3}}}});
  EXPECT_EQ(run.process(0),
            served("Alarm; Recv Expired; Alarm; Recv Expired; Alarm; Send 1; Recv 2; Alarm; Send 1; Recv 3; Close"));
}

TEST_P(ParityOfAlarms, AShorterDeadlineComesFirst) {
  const auto run = play({.server = serving(Alarm{20'000}, read(9, within(50)), write(1), read(9), Close{first}),
                         .clients = {{connect, Await{1}, ClientSends{2}}}});
  EXPECT_EQ(run.process(0), served("Alarm; Recv Expired; Send 1; Recv 2; Close"));
}

/// A byte at a time: each wait by itself is short. (What the client still sends at the end may meet a reset.)
Play trickling() {
  Script trickle{connect};
  for (int bytes = 0; bytes < 12; ++bytes) {
    trickle.emplace_back(ClientSends{1});
    trickle.emplace_back(pause());
  }
  const auto read_on = [] {
    return iter(Unit{},
                [](const Unit&) {
                  return read(9) >> [](const Result<Bytes>& got) {
                    return ret(got && !got->empty() ? Step<Unit, Unit>(Continue{Unit{}})
                                                    : Step<Unit, Unit>(Break{Unit{}}));
                  };
                }) >>
           [](const Unit&) { return all(none, read(1), Close{first}); };
  };
  return {
      .server = listening([=] { return then(Accept{listener}, [=] { return then(Alarm{3 * settled_ms}, read_on); }); }),
      .clients = {trickle}};
}

/// On a busy machine the first byte may come after the alarm has rung. Such a run shows nothing, and another one is
/// made.
TEST_P(ParityOfAlarms, ItGoesOnFromOneWaitToTheNext) {
  constexpr int most_runs = 20;
  const std::string too_late = "OpenSocket; Listen; Accept; Alarm; Recv Expired; Alarm; Recv; Close; ends";
  std::string shape = too_late;
  for (int runs = 0; shape == too_late && runs < most_runs; ++runs) shape = play(trickling()).shape(0);
  EXPECT_EQ(shape, "OpenSocket; Listen; Accept; Alarm; Recv; Recv Expired; Alarm; Recv; Close; ends");
}

TEST_P(ParityOfAlarms, ASendThatFindsNoRoomIsCutShort) {
  const auto run =
      play({.server = listening([] {
              return then(Accept{listener}, [] {
                return then(Alarm{2 * settled_ms}, [] { return fill(patient, [] { return all(Close{first}); }); });
              });
            }),
            .clients = {{connect, StopReading{}}}});
  EXPECT_EQ(run.shape(0), "OpenSocket; Listen; Accept; Alarm; Send; Send Expired; Close; ends");
}

TEST_P(ParityOfAlarms, WhoeverSleepsOrAcceptsDoesNotHearIt) {
  const auto run =
      play({.server = listening([] { return all(Alarm{0}, settle(), Accept{listener}, read(9), Close{first}); }),
            .clients = {{pause(3), connect}}});
  EXPECT_EQ(run.process(0), listened("Alarm; Sleep; Accept 1; Recv Expired; Close"));
}

TEST_P(ParityOfAlarms, AChildHasNone) {
  const auto reads = [] { return all(read(9), Close{first}); };
  const auto run =
      play({.server = listening([=] {
              return then(Accept{listener}, [=] { return then(Alarm{0}, [=] { return fork_into(reads, reads); }); });
            }),
            .clients = {{connect, pause(2), ClientSends{3}}}});
  EXPECT_EQ(run.process(0), listened("Accept 1; Alarm; Fork parent; Recv Expired; Close"));
  EXPECT_EQ(run.process(1), "Fork child; Recv 3; Close; ends");
}

TEST_P(ParityOfAlarms, AStopComesFirst) {
  const auto run = play(
      {.server = serving(Alarm{0}, Sleep{20'000}, read(9, {.wait_ms = 20'000, .drain_ms = 0}), read(9), Close{first}),
       .clients = {{connect}},
       .stop_after_ms = settled_ms});
  EXPECT_EQ(run.process(0), served("Alarm; Sleep Stopping; Recv Stopping; Recv Expired; Close"));
}

}  // namespace
}  // namespace antiphon::parity
