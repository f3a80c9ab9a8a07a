#include <gtest/gtest.h>

#include <string>

#include "tests/verify/history.hpp"

/// Each clause about what a process holds, does and waits for: a trace that keeps it, and traces that break it.

namespace antiphon::verify {
namespace {

// -- open -------------------------------------------------------------------------------------------------------

TEST(OnlyWhileOpen, SocketsAreUsedWhileHeld) {
  EXPECT_EQ(verdict_on("open", conversation()), "kept");
  EXPECT_EQ(verdict_on("open", opening().on(0, Recv{Socket{7}, 1, {}}, failed(Errno::BADF))),
            "process 0, event 3 (Recv): uses socket 7, which it does not hold");
  EXPECT_EQ(verdict_on("open", opening().waits(0, Accept{Socket{4}})),
            "process 0, event 3 (Accept): uses socket 4, which it does not hold");
}

TEST(OnlyWhileOpen, SocketsAreClosedOnce) {
  EXPECT_EQ(verdict_on("open", opening().on(0, Close{listener}, done()).on(0, Close{listener}, done())),
            "process 0, event 4 (Close): uses socket 0, which it does not hold");
  EXPECT_EQ(verdict_on("open", opening().on(0, Close{listener}, failed(Errno::IO)).on(0, Close{listener}, done())),
            "process 0, event 4 (Close): uses socket 0, which it does not hold");
}

TEST(OnlyWhileOpen, TheInterpreterAnswersTheLowestFreeName) {
  const History history = opening().on(0, Accept{listener}, Socket{5});
  EXPECT_EQ(verdict_on("open", history),
            "process 0, event 3 (Accept): answers socket 5 where 1 is the lowest free name");
  EXPECT_EQ(judged(history).violations.front().party, Party::interpreter);
  EXPECT_EQ(verdict_on("open", opening().on(0, Accept{listener}, listener)),
            "process 0, event 3 (Accept): answers socket 0 where 1 is the lowest free name");
}

// -- released ---------------------------------------------------------------------------------------------------

TEST(AllReleased, AProcessClosesWhatItHolds) {
  EXPECT_EQ(verdict_on("released", conversation()), "kept");
  EXPECT_EQ(verdict_on("released", serving().ends(1)), "process 1, event 2: ends and still holds socket 1");
}

// -- roles ------------------------------------------------------------------------------------------------------

TEST(Roles, TheAcceptorDoesNotTalk) {
  EXPECT_EQ(verdict_on("roles", conversation()), "kept");
  const History accepts = opening().on(0, Accept{listener}, client);
  EXPECT_EQ(verdict_on("roles", History(accepts).on(0, read(), bytes("a"))),
            "process 0, event 4 (Recv): accepts clients and talks to one");
  EXPECT_EQ(verdict_on("roles", History(accepts).waits(0, write("a"))),
            "process 0, event 4 (Send): accepts clients and talks to one");
}

TEST(Roles, ASessionDoesNotAccept) {
  EXPECT_EQ(verdict_on("roles", opening().forks(0, 1).waits(1, Accept{listener})),
            "process 1, event 1 (Accept): is a session and accepts");
}

// -- own-connection ---------------------------------------------------------------------------------------------

TEST(OwnConnection, ASessionHoldsItsConnectionOnly) {
  EXPECT_EQ(verdict_on("own-connection", conversation()), "kept");
  EXPECT_EQ(
      verdict_on("own-connection", opening().on(0, Accept{listener}, client).forks(0, 1).on(1, read(), bytes("a"))),
      "process 1, event 1 (Recv): talks to its client and also holds socket 0, the listener");
  EXPECT_EQ(verdict_on("own-connection", opening()
                                             .on(0, Accept{listener}, client)
                                             .on(0, Accept{listener}, Socket{2})
                                             .forks(0, 1)
                                             .on(1, Close{listener}, done())
                                             .waits(1, write("a"))),
            "process 1, event 2 (Send): talks to its client and also holds socket 2, another connection");
}

// -- reaped -----------------------------------------------------------------------------------------------------

TEST(Reaped, ChildrenAreDiscarded) {
  EXPECT_EQ(verdict_on("reaped", conversation()), "kept");
  History history;
  history.forks(0, 1).ends(1);
  EXPECT_EQ(verdict_on("reaped", history), "process 1, event 1: ends, and its parent, process 0, never reaps it");
}

TEST(Reaped, AFailedDiscardDiscardsNothing) {
  History history;
  history.on(0, DiscardChildren{}, failed(Errno::INVAL)).forks(0, 1).ends(1);
  EXPECT_EQ(verdict_on("reaped", history), "process 1, event 1: ends, and its parent, process 0, never reaps it");
}

TEST(Reaped, WhoeverOutlivesItsParentIsReaped) {
  History history;
  history.forks(0, 1).ends(0).ends(1);
  EXPECT_EQ(verdict_on("reaped", history), "kept");
}

// -- handled ----------------------------------------------------------------------------------------------------

TEST(Handled, ProcessesEndWell) {
  EXPECT_EQ(verdict_on("handled", conversation()), "kept");
  EXPECT_EQ(verdict_on("handled", serving().ends(1, failed(Errno::CONNRESET))),
            "process 1, event 2: ends by ECONNRESET, which it did not handle");
  EXPECT_EQ(
      verdict_on("handled", opening().on(0, Accept{listener}, failed(Errno::MFILE)).ends(0, failed(Errno::MFILE))),
      "process 0, event 4: ends by EMFILE, which it did not handle");
}

TEST(Handled, AServerThatCannotListenSaysSo) {
  History history;
  history.on(0, OpenSocket{{"127.0.0.1", 80}}, failed(Errno::ACCES)).ends(0, failed(Errno::ACCES));
  EXPECT_EQ(verdict_on("handled", history), "kept");
}

// -- acceptor-lives ---------------------------------------------------------------------------------------------

TEST(AcceptorLives, ItEndsWhenAskedToStop) {
  const auto after = [](Errno error) {
    return opening().on(0, Accept{listener}, failed(error)).on(0, Close{listener}, done()).ends(0);
  };
  EXPECT_EQ(verdict_on("acceptor-lives", after(Errno::STOPPING)), "kept");
  EXPECT_EQ(verdict_on("acceptor-lives", after(Errno::MFILE)),
            "process 0, event 5: accepts clients and ends, and nobody asked it to stop");
}

// -- starts -----------------------------------------------------------------------------------------------------

TEST(Starts, AServerListensBeforeItAccepts) {
  EXPECT_EQ(verdict_on("starts", conversation()), "kept");
  EXPECT_EQ(verdict_on("starts", opening().waits(0, Accept{listener})), "kept");
  const auto opened = [] { return History().on(0, OpenSocket{{"127.0.0.1", 80}}, listener); };
  EXPECT_EQ(verdict_on("starts", opened().waits(0, Accept{listener})),
            "process 0, event 1 (Accept): accepts and has not listened");
  EXPECT_EQ(verdict_on("starts", opened().on(0, Listen{listener, 8}, failed(Errno::ADDRINUSE)).waits(0, Accept{})),
            "process 0, event 2 (Accept): accepts and has not listened");
}

TEST(Starts, WhoDoesNotComeToThatSaysWhatFailed) {
  const auto refused = [] { return History().on(0, OpenSocket{{"127.0.0.1", 80}}, failed(Errno::ACCES)); };
  EXPECT_EQ(verdict_on("starts", refused().ends(0, failed(Errno::ACCES))), "kept");
  EXPECT_EQ(verdict_on("starts", refused().ends(0)),
            "process 0, event 1: ends without an error, has accepted nobody and was not asked to stop");
  EXPECT_EQ(verdict_on("starts", opening().ends(0, failed(Errno::FAULT))),
            "process 0, event 3: ends by EFAULT, and nothing had failed");
}

TEST(Starts, AStopAndAChildThatGoesOnExcuse) {
  EXPECT_EQ(verdict_on("starts", opening().stop().on(0, Sleep{5}, failed(Errno::STOPPING)).ends(0)), "kept");
  EXPECT_EQ(verdict_on("starts", opening().forks(0, 1).ends(0)), "kept");
}

TEST(Starts, ItIsNotAskedOfSessionsNorOfWhoHasAccepted) {
  EXPECT_EQ(verdict_on("starts", serving().ends(1, failed(Errno::CONNRESET))), "kept");
  EXPECT_EQ(verdict_on("starts", opening().on(0, Accept{listener}, failed(Errno::STOPPING)).ends(0)), "kept");
}

// -- idle-limit -------------------------------------------------------------------------------------------------

TEST(IdleLimit, NobodyWaitsPastIt) {
  EXPECT_EQ(verdict_on("idle-limit", serving().waits(1, read())), "kept");
  const Deadline longer{.wait_ms = 60'001, .drain_ms = 0};
  EXPECT_EQ(verdict_on("idle-limit", serving().waits(1, Recv{client, 1, longer})),
            "process 1, event 2 (Recv): would wait 60001 ms for its client, where 60000 ms are the limit");
  EXPECT_EQ(verdict_on("idle-limit", having_read("a").waits(1, Send{client, Bytes::copy_of("a"), {}})),
            "process 1, event 3 (Send): would wait for ever for its client, where 60000 ms are the limit");
  EXPECT_EQ(verdict_on("idle-limit", serving().on(1, read(), failed(Errno::EXPIRED)).waits(1, read())),
            "process 1, event 3 (Recv): waits again for a client that was silent for the whole idle limit");
  EXPECT_EQ(verdict_on("idle-limit", serving().waits(1, Recv{client, 1, {}}), {Answers::everything, forever_ms, 5'000}),
            "kept");
}

// -- drained ----------------------------------------------------------------------------------------------------

TEST(Drained, TheDrainsDeadlineIsGranted) {
  EXPECT_EQ(verdict_on("drained", serving().on(1, read(), failed(Errno::STOPPING))), "kept");
  EXPECT_EQ(verdict_on("drained", serving().on(1, Recv{client, 1, {}}, failed(Errno::STOPPING))),
            "process 1, event 2 (Recv): is cut off 0 ms after the stop, where 5000 ms are granted");
  EXPECT_EQ(verdict_on("drained",
                       having_read("a").on(1, Send{client, Bytes::copy_of("a"), {9, 4'999}}, failed(Errno::STOPPING))),
            "process 1, event 3 (Send): is cut off 4999 ms after the stop, where 5000 ms are granted");
}

TEST(Drained, TheDrainEnds) {
  EXPECT_EQ(verdict_on("drained", serving().waits(1, Recv{client, 1, {60'000, 5'001}})),
            "process 1, event 2 (Recv): would go on for longer than the 5000 ms that a stop grants");
}

// -- rests ------------------------------------------------------------------------------------------------------

TEST(Rests, WantIsWaitedOut) {
  const auto lacking = [](Errno error) { return opening().on(0, Accept{listener}, failed(error)); };
  EXPECT_EQ(verdict_on("rests", lacking(Errno::MFILE).on(0, Sleep{5}, done()).waits(0, Accept{listener})), "kept");
  EXPECT_EQ(verdict_on("rests", lacking(Errno::CONNABORTED).waits(0, Accept{listener})), "kept");
  EXPECT_EQ(verdict_on("rests", lacking(Errno::MFILE).waits(0, Accept{listener})),
            "process 0, event 4 (Accept): tries again at once after an Accept that failed for want of something");
  EXPECT_EQ(verdict_on("rests", lacking(Errno::NOMEM).on(0, Sleep{10'001}, done())),
            "process 0, event 4 (Sleep): rests for 10001 ms");
}

TEST(Rests, AnAddressThatIsHeldIsWaitedFor) {
  const OpenSocket open{{"127.0.0.1", 8888}};
  const auto lacking = [&](Errno error) { return History().on(0, open, failed(error)); };
  EXPECT_EQ(verdict_on("rests", lacking(Errno::ADDRINUSE).on(0, Sleep{5}, done()).waits(0, open)), "kept");
  EXPECT_EQ(verdict_on("rests", lacking(Errno::ACCES).waits(0, open)), "kept");
  EXPECT_EQ(
      verdict_on("rests", lacking(Errno::ADDRINUSE).waits(0, open)),
      "process 0, event 1 (OpenSocket): tries again at once after an OpenSocket that failed for want of something");
}

TEST(Rests, OfSessionsToo) {
  const auto lacking = [](Errno error) { return serving().on(1, read(), failed(error)); };
  EXPECT_EQ(verdict_on("rests", lacking(Errno::NOMEM).on(1, Sleep{1}, done()).waits(1, read())), "kept");
  EXPECT_EQ(verdict_on("rests", lacking(Errno::INTR).waits(1, read())), "kept");
  EXPECT_EQ(verdict_on("rests", lacking(Errno::NOMEM).on(1, Close{client}, done()).ends(1)), "kept");
  EXPECT_EQ(verdict_on("rests", lacking(Errno::NOMEM).waits(1, read())),
            "process 1, event 3 (Recv): tries again at once after a Recv that failed for want of something");
  EXPECT_EQ(verdict_on("rests", having_read("a").on(1, write("a"), failed(Errno::NOBUFS)).waits(1, write("a"))),
            "process 1, event 4 (Send): tries again at once after a Send that failed for want of something");
}

TEST(Rests, WhoDoesSomethingElseFirstDoesNotSpin) {
  EXPECT_EQ(
      verdict_on(
          "rests",
          having_read("a").on(1, write("a"), failed(Errno::NOBUFS)).on(1, read(), bytes("b")).waits(1, write("ab"))),
      "kept");
}

}  // namespace
}  // namespace antiphon::verify
