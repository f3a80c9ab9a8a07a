#include <gtest/gtest.h>

#include <string>

#include "tests/verify/history.hpp"

/// Each clause for which clients have to be seen: a trace that keeps it, and traces that break it.

namespace antiphon::verify {
namespace {

using Kind = ClientEvent::Kind;

// -- admission --------------------------------------------------------------------------------------------------

History turned_away_among(std::uint32_t waiting) {
  History history = opening();
  for (ClientId who = 1; who <= waiting; ++who) history.by(who, Kind::connecting).by(who, Kind::connected);
  return history.by(waiting + 1, Kind::connecting).by(waiting + 1, Kind::turned_away);
}

TEST(Admission, ManyWaitWhenOneIsTurnedAway) {
  EXPECT_EQ(verdict_on("admission", turned_away_among(64)), "kept");
  EXPECT_EQ(verdict_on("admission", turned_away_among(63)), "client 64 is turned away while 63 wait to be accepted");
}

TEST(Admission, WhoIsAcceptedOrGoneWaitsNoMore) {
  for (const Kind gone : {Kind::reset, Kind::met_reset, Kind::closed, Kind::accepted}) {
    History history = opening();
    for (ClientId who = 1; who <= 64; ++who) history.by(who, Kind::connected);
    history.by(1, gone).by(65, Kind::turned_away);
    EXPECT_EQ(verdict_on("admission", history), "client 65 is turned away while 63 wait to be accepted");
  }
}

// -- nobody-waits -----------------------------------------------------------------------------------------------

TEST(NobodyWaits, WhoIsConnectedIsAccepted) {
  EXPECT_EQ(verdict_on("nobody-waits", opening().by(1, Kind::connected).waits(0, Accept{listener})),
            "client 1 is connected and nobody accepts it");
  EXPECT_EQ(verdict_on("nobody-waits", opening()
                                           .by(1, Kind::connected)
                                           .on(0, Accept{listener}, client)
                                           .accepted(1, 0, client)
                                           .forks(0, 1)
                                           .on(0, Close{client}, done())
                                           .waits(0, Accept{listener})
                                           .waits(1, read())),
            "kept");
}

TEST(NobodyWaits, AnOpenConnectionHasSomebodyWhoWaits) {
  EXPECT_EQ(verdict_on("nobody-waits", serving().waits(1, read())), "kept");
  EXPECT_EQ(verdict_on("nobody-waits", opening().on(0, Accept{listener}, client).waits(0, Accept{listener})),
            "an open connection is left and nobody waits for its client");
}

TEST(NobodyWaits, WaitingForOneClientIsNoAttentionToAnother) {
  EXPECT_EQ(verdict_on("nobody-waits",
                       opening().on(0, Accept{listener}, client).on(0, Accept{listener}, Socket{2}).waits(0, read())),
            "an open connection is left and nobody waits for its client");
}

// -- delivered --------------------------------------------------------------------------------------------------

/// Client 1 is accepted and sends "ab"; process 1 waits for it.
History sending() {
  return opening()
      .by(1, Kind::connecting)
      .by(1, Kind::connected)
      .on(0, Accept{listener}, client)
      .accepted(1, 0, client)
      .by(1, Kind::sent, "ab")
      .forks(0, 1)
      .on(0, Close{client}, done())
      .waits(0, Accept{listener})
      .on(1, Close{listener}, done());
}

TEST(Delivered, ClientsGetBackWhatTheySent) {
  EXPECT_EQ(verdict_on("delivered", sending().by(1, Kind::received, "a").by(1, Kind::received, "b").waits(1, read())),
            "kept");
  EXPECT_EQ(verdict_on("delivered", sending().by(1, Kind::received, "b")), "client 1 gets \"b\" where \"ab\" is due");
  EXPECT_EQ(verdict_on("delivered", sending().by(2, Kind::received, "a")), "client 2 gets \"a\" where \"\" is due");
  EXPECT_EQ(verdict_on("delivered", sending().by(1, Kind::received, "a").waits(1, read())),
            "client 1 never gets back \"b\"");
}

TEST(Delivered, AResetAndABlindEyeOfTheClientExcuse) {
  EXPECT_EQ(verdict_on("delivered", sending().by(1, Kind::reset).waits(1, read())), "kept");
  EXPECT_EQ(verdict_on("delivered", sending().by(1, Kind::stopped_reading).waits(1, read())), "kept");
  EXPECT_EQ(verdict_on("delivered", sending().by(1, Kind::met_reset).waits(1, read())),
            "client 1 never gets back \"ab\"");
}

TEST(Delivered, ADeadlineAndADrainExcuse) {
  for (const Errno error : {Errno::EXPIRED, Errno::STOPPING}) {
    EXPECT_EQ(verdict_on("delivered", sending().on(1, read(), failed(error)).on(1, Close{client}, done()).ends(1)),
              "kept");
  }
  EXPECT_EQ(verdict_on("delivered", sending().on(1, Close{client}, done()).ends(1)), "client 1 never gets back \"ab\"");
}

TEST(Delivered, AFailedShutdownExcuses) {
  EXPECT_EQ(
      verdict_on("delivered",
                 sending().on(1, ShutdownSend{client}, failed(Errno::NOTCONN)).on(1, Close{client}, done()).ends(1)),
      "kept");
}

TEST(Delivered, WhoIsRefusedIsExcused) {
  const History history = opening()
                              .by(1, Kind::connected)
                              .on(0, Accept{listener}, client)
                              .accepted(1, 0, client)
                              .by(1, Kind::sent, "ab")
                              .on(0, Fork{}, failed(Errno::AGAIN))
                              .on(0, Close{client}, done())
                              .by(1, Kind::met_reset)
                              .waits(0, Accept{listener});
  EXPECT_EQ(verdict_on("delivered", history), "kept");
}

TEST(Delivered, WhoWasNeverAcceptedIsExcusedByAStopOnly) {
  const History waiting = opening().by(1, Kind::connected).by(1, Kind::sent, "ab");
  EXPECT_EQ(verdict_on("delivered", History(waiting).waits(0, Accept{listener})), "client 1 never gets back \"ab\"");
  EXPECT_EQ(verdict_on("delivered", History(waiting)
                                        .stop()
                                        .on(0, Accept{listener}, failed(Errno::STOPPING))
                                        .on(0, Close{listener}, done())
                                        .by(1, Kind::met_reset)
                                        .ends(0)),
            "kept");
}

TEST(Delivered, WhereOnlyTheFirstMessageIsOwedAnyAnswerWillDo) {
  const History history = sending().by(1, Kind::received, "a").waits(1, read());
  EXPECT_EQ(verdict_on("delivered", history, expectations(Answers::first_message)), "kept");
  EXPECT_EQ(verdict_on("delivered", sending().waits(1, read()), expectations(Answers::first_message)),
            "client 1 never gets back \"ab\"");
}

}  // namespace
}  // namespace antiphon::verify
