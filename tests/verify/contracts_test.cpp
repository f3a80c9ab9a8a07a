#include <gtest/gtest.h>

#include <string>

#include "tests/verify/history.hpp"

/// Each clause: a trace that keeps it, traces that break it, and what excuses.

namespace antiphon::verify {
namespace {

using Kind = ClientEvent::Kind;

TEST(Contracts, AConversationKeepsEveryClause) {
  const Verdict verdict = judged(conversation());
  EXPECT_TRUE(verdict.violations.empty());
  EXPECT_TRUE(verdict.remarks.empty());
  EXPECT_EQ(verdict.ruling, Ruling::holds);
}

// -- echo -------------------------------------------------------------------------------------------------------

TEST(Echo, WhatIsSentIsOwed) {
  EXPECT_EQ(verdict_on("echo", having_read("abc").on(1, write("abc"), 3)), "kept");
  EXPECT_EQ(verdict_on("echo", having_read("abc").on(1, write("abc"), 1).on(1, write("bc"), 2)), "kept");
  EXPECT_EQ(verdict_on("echo", having_read("ab").on(1, read(), bytes("cd")).on(1, write("abc"), 3)), "kept");
  EXPECT_EQ(verdict_on("echo", having_read("abc").on(1, write("abd"), 3)),
            "process 1, event 3 (Send): sends \"abd\" where \"abc\" is owed");
  EXPECT_EQ(verdict_on("echo", having_read("abc").on(1, write("bc"), 2)),
            "process 1, event 3 (Send): sends \"bc\" where \"abc\" is owed");
  EXPECT_EQ(verdict_on("echo", having_read("abc").on(1, write("abcd"), 4)),
            "process 1, event 3 (Send): sends \"abcd\" where \"abc\" is owed");
}

TEST(Echo, NothingIsSentTwice) {
  EXPECT_EQ(verdict_on("echo", having_read("a").on(1, write("a"), 1).on(1, write("a"), 1)),
            "process 1, event 4 (Send): sends \"a\" where \"\" is owed");
}

TEST(Echo, NothingIsSentBeforeAnythingWasReceived) {
  EXPECT_EQ(verdict_on("echo", serving().on(1, write("a"), 1)),
            "process 1, event 2 (Send): sends \"a\" where nothing is owed");
}

TEST(Echo, WhatFailedToGoIsStillOwed) {
  EXPECT_EQ(verdict_on("echo", having_read("a").on(1, write("a"), failed(Errno::INTR)).on(1, write("a"), 1)), "kept");
}

TEST(Echo, AlsoWhatWaitsToBeSentCounts) {
  EXPECT_EQ(verdict_on("echo", having_read("a").waits(1, write("b"))),
            "process 1, event 3 (Send): sends \"b\" where \"a\" is owed");
}

TEST(Echo, ConnectionsAreApart) {
  const auto two = [](std::string_view sent) { return having_read("a").on(1, write(sent), 1); };
  EXPECT_EQ(verdict_on("echo", two("A")), "process 1, event 3 (Send): sends \"A\" where \"a\" is owed");
}

TEST(Echo, TheInterpreterSendsNoMoreThanItWasGiven) {
  const History history = having_read("a").on(1, write("a"), 2);
  EXPECT_EQ(verdict_on("echo", history),
            "process 1, event 3 (Send): answers that more bytes were sent than the Send was given");
  EXPECT_EQ(judged(history).violations.front().party, Party::interpreter);
}

TEST(Echo, OfASecondMessageNothingIsOwedWhereOnlyTheFirstIs) {
  const History history = having_read("a").on(1, write("a"), 1).on(1, read(), bytes("b")).on(1, write("b"), 1);
  EXPECT_EQ(verdict_on("echo", history), "kept");
  EXPECT_EQ(verdict_on("echo", history, expectations(Answers::first_message)),
            "process 1, event 5 (Send): sends \"b\" where \"\" is owed");
}

// -- answered ---------------------------------------------------------------------------------------------------

TEST(Answered, NobodyIsLetGoOfWhoIsOwed) {
  EXPECT_EQ(verdict_on("answered", conversation()), "kept");
  EXPECT_EQ(verdict_on("answered", having_read("ab").on(1, write("ab"), 1).on(1, Close{client}, done())),
            "process 1, event 4 (Close): lets go of its client and owes it \"b\"");
  EXPECT_EQ(verdict_on("answered", having_read("ab").ends(1)),
            "process 1, event 3: lets go of its client and owes it \"ab\"");
}

TEST(Answered, AFailureADeadlineAndADrainExcuse) {
  for (const Errno error : {Errno::CONNRESET, Errno::PIPE, Errno::TIMEDOUT, Errno::EXPIRED, Errno::STOPPING}) {
    EXPECT_EQ(verdict_on("answered", having_read("a").on(1, write("a"), failed(error)).on(1, Close{client}, done())),
              "kept");
  }
  EXPECT_EQ(
      verdict_on("answered",
                 having_read("a").on(1, ShutdownSend{client}, failed(Errno::NOTCONN)).on(1, Close{client}, done())),
      "kept");
}

TEST(Answered, OnlyTheIdleLimitExcuses) {
  const auto after = [](std::int64_t wait_ms) {
    return having_read("a")
        .on(1, Send{client, Bytes::copy_of("a"), {wait_ms, 5'000}}, failed(Errno::EXPIRED))
        .on(1, Close{client}, done());
  };
  EXPECT_EQ(verdict_on("answered", after(60'000)), "kept");
  EXPECT_EQ(verdict_on("answered", after(59'999)),
            "process 1, event 4 (Close): lets go of its client and owes it \"a\"");
}

TEST(Answered, APipeThatTheServerBrokeItselfExcusesNothing) {
  EXPECT_EQ(verdict_on("answered", having_read("a")
                                       .on(1, ShutdownSend{client}, done())
                                       .on(1, write("a"), failed(Errno::PIPE))
                                       .on(1, Close{client}, done())),
            "process 1, event 5 (Close): lets go of its client and owes it \"a\"");
}

TEST(Answered, WhatPassesByItselfExcusesNothing) {
  for (const Errno error : {Errno::INTR, Errno::AGAIN, Errno::NOBUFS, Errno::NOMEM}) {
    EXPECT_EQ(verdict_on("answered", having_read("a").on(1, write("a"), failed(error)).on(1, Close{client}, done())),
              "process 1, event 4 (Close): lets go of its client and owes it \"a\"");
  }
}

TEST(Answered, NothingIsOwedWhenAllIsQuiet) {
  EXPECT_EQ(verdict_on("answered", having_read("a").waits(1, read())), "comes to rest and still owes \"a\"");
  EXPECT_EQ(verdict_on("answered", having_read("a").waits(1, write("a"))), "kept");
}

TEST(Answered, OnlyTheFirstMessageIsOwedWhereThatIsSo) {
  const History history = having_read("a").on(1, write("a"), 1).on(1, read(), bytes("b")).on(1, Close{client}, done());
  EXPECT_EQ(verdict_on("answered", history), "process 1, event 5 (Close): lets go of its client and owes it \"b\"");
  EXPECT_EQ(verdict_on("answered", history, expectations(Answers::first_message)), "kept");
}

// -- input-read -------------------------------------------------------------------------------------------------

TEST(InputRead, TheClientsEndIsReadFirst) {
  EXPECT_EQ(verdict_on("input-read", conversation()), "kept");
  EXPECT_EQ(verdict_on("input-read", having_read("a").on(1, write("a"), 1).on(1, Close{client}, done())),
            "process 1, event 4 (Close): lets go of a client whose end it has not read");
  EXPECT_EQ(verdict_on("input-read", serving().on(1, read(), failed(Errno::EXPIRED)).on(1, Close{client}, done())),
            "kept");
}

TEST(InputRead, AClientForWhomThereIsNoProcessIsRefused) {
  const auto refused = [](const Fork::Response& forked) {
    return opening().on(0, Accept{listener}, client).on(0, Fork{}, forked).on(0, Close{client}, done());
  };
  EXPECT_EQ(verdict_on("input-read", refused(failed(Errno::AGAIN))), "kept");
  EXPECT_EQ(verdict_on("input-read", opening().on(0, Accept{listener}, client).on(0, Close{client}, done())),
            "process 0, event 4 (Close): lets go of a client whose end it has not read");
}

TEST(InputRead, ARefusalComesAtOnce) {
  const History history = opening()
                              .on(0, Accept{listener}, client)
                              .on(0, Fork{}, failed(Errno::AGAIN))
                              .on(0, Accept{listener}, Socket{2})
                              .on(0, Close{client}, done());
  EXPECT_EQ(verdict_on("input-read", history),
            "process 0, event 6 (Close): lets go of a client whose end it has not read");
}

TEST(InputRead, TheLastHolderCounts) {
  const History history =
      opening().on(0, Accept{listener}, client).forks(0, 1).on(1, Close{client}, done()).on(0, Close{client}, done());
  EXPECT_EQ(verdict_on("input-read", history),
            "process 0, event 5 (Close): lets go of a client whose end it has not read");
}

// -- buffer -----------------------------------------------------------------------------------------------------

TEST(Buffer, NobodyAsksForMoreThanItHolds) {
  EXPECT_EQ(verdict_on("buffer", conversation()), "kept");
  EXPECT_EQ(verdict_on("buffer", serving().waits(1, Recv{client, 1, until})), "kept");
  EXPECT_EQ(verdict_on("buffer", serving().waits(1, Recv{client, 16'385, until})),
            "process 1, event 2 (Recv): asks for 16385 bytes, where 16384 are the limit");
  EXPECT_EQ(verdict_on("buffer", serving().waits(1, Recv{client, 16'385, until}), {Answers::everything, 60'000, 5'000}),
            "kept");
}

TEST(Buffer, TheOneMessageThatIsAnsweredMayFillIt) {
  const Expectations once = expectations(Answers::first_message);
  const Recv less{client, 16'383, until};
  EXPECT_EQ(verdict_on("buffer", serving().waits(1, read()), once), "kept");
  EXPECT_EQ(verdict_on("buffer", serving().waits(1, less), once),
            "process 1, event 2 (Recv): asks for 16383 bytes, where a message may have 16384");
  EXPECT_EQ(verdict_on("buffer", serving().on(1, read(), failed(Errno::INTR)).waits(1, less), once),
            "process 1, event 3 (Recv): asks for 16383 bytes, where a message may have 16384");
  EXPECT_EQ(verdict_on("buffer", having_read("abc").waits(1, less), once), "kept");
  EXPECT_EQ(verdict_on("buffer", serving().waits(1, less), {Answers::first_message, 60'000, 5'000}), "kept");
}

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

// -- ends-side --------------------------------------------------------------------------------------------------

TEST(EndsSide, TheAnswerIsFollowedByTheEnd) {
  const Expectations once = expectations(Answers::first_message);
  const auto answered = [] { return having_read("a").on(1, write("a"), 1); };
  EXPECT_EQ(verdict_on("ends-side", answered().on(1, ShutdownSend{client}, done()).waits(1, read()), once), "kept");
  EXPECT_EQ(verdict_on("ends-side", answered().waits(1, read())), "kept");
  EXPECT_EQ(verdict_on("ends-side", answered().waits(1, read()), once),
            "process 1, event 4 (Recv): reads on and has not ended its side");
}

TEST(EndsSide, NothingIsOwedByThen) {
  const auto ends = [](History history) { return history.on(1, ShutdownSend{client}, done()); };
  EXPECT_EQ(verdict_on("ends-side", ends(serving())), "kept");
  EXPECT_EQ(verdict_on("ends-side", ends(having_read("ab").on(1, write("ab"), 2))), "kept");
  EXPECT_EQ(verdict_on("ends-side", ends(having_read("ab").on(1, write("ab"), 1))),
            "process 1, event 4 (ShutdownSend): ends its side and still owes \"b\"");
  EXPECT_EQ(verdict_on("ends-side", ends(having_read("ab").on(1, write("ab"), failed(Errno::NOMEM)))),
            "process 1, event 4 (ShutdownSend): ends its side and still owes \"ab\"");
}

TEST(EndsSide, WhatExcusesADebtExcusesTheEnd) {
  for (const Errno error : {Errno::CONNRESET, Errno::PIPE, Errno::EXPIRED, Errno::STOPPING}) {
    EXPECT_EQ(
        verdict_on("ends-side", having_read("a").on(1, write("a"), failed(error)).on(1, ShutdownSend{client}, done())),
        "kept");
  }
}

// -- the interpreter --------------------------------------------------------------------------------------------

TEST(Promises, ARecvAnswersNoMoreThanItAskedFor) {
  EXPECT_EQ(verdict_on("echo", serving().on(1, Recv{client, 1, until}, bytes("ab"))),
            "process 1, event 2 (Recv): answers more bytes than the Recv asked for");
}

TEST(Promises, ASendSendsSomething) {
  EXPECT_EQ(verdict_on("echo", having_read("a").on(1, write("a"), 0)),
            "process 1, event 3 (Send): answers that a Send with bytes to send sent none");
}

TEST(Promises, NothingComesAfterTheEnd) {
  EXPECT_EQ(verdict_on("input-read", serving().on(1, read(), bytes("")).on(1, read(), bytes("a"))),
            "process 1, event 3 (Recv): answers bytes after the client's end");
}

// -- excuses ----------------------------------------------------------------------------------------------------

TEST(Excuses, AConnectionThatFailedIsOneWhateverItAnswers) {
  const auto after = [](Errno error) {
    return verdict_on("answered", having_read("a").on(1, write("a"), failed(error)).on(1, Close{client}, done()));
  };
  EXPECT_EQ(after(Errno::INVAL), "kept");
  EXPECT_EQ(after(Errno::NOTSOCK), "kept");
}

TEST(Excuses, WhatPassesByItselfIsNone) {
  const auto after = [](Errno error) {
    return verdict_on("answered", having_read("a").on(1, write("a"), failed(error)).on(1, Close{client}, done()));
  };
  EXPECT_EQ(after(Errno::NOMEM), "process 1, event 4 (Close): lets go of its client and owes it \"a\"");
  EXPECT_EQ(after(Errno::INTR), "process 1, event 4 (Close): lets go of its client and owes it \"a\"");
}

TEST(Excuses, ALaterResetCountsThoughADeadlineCameFirst) {
  const History history = serving()
                              .on(1, Recv{client, 1, {1'000, 5'000}}, failed(Errno::EXPIRED))
                              .on(1, read(), bytes("a"))
                              .on(1, write("a"), failed(Errno::CONNRESET))
                              .on(1, Close{client}, done());
  EXPECT_EQ(verdict_on("answered", history), "kept");
}

TEST(Excuses, AClientIsRefusedOnlyAboveTheLimit) {
  const auto refusing = [](std::int64_t at_most) {
    return opening()
        .on(0, Accept{listener}, client)
        .on(0, Fork{at_most}, failed(Errno::AGAIN))
        .on(0, Close{client}, done());
  };
  Expectations expected = expectations();
  expected.max_connections = 10;
  EXPECT_EQ(verdict_on("input-read", refusing(10), expected), "kept");
  EXPECT_EQ(verdict_on("input-read", refusing(9), expected),
            "process 0, event 5 (Close): lets go of a client whose end it has not read");
}

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
