#include <gtest/gtest.h>

#include <string>

#include "tests/verify/history.hpp"

/// Each clause about what a connection is owed: a trace that keeps it, traces that break it, and what excuses.

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
  const auto refusing = [](std::int64_t at_most, std::int64_t at_most_alike = unlimited) {
    return opening()
        .on(0, Accept{listener}, client)
        .on(0, Fork{at_most, at_most_alike, client}, failed(Errno::AGAIN))
        .on(0, Close{client}, done());
  };
  Expectations expected = expectations();
  expected.max_connections = 10;
  EXPECT_EQ(verdict_on("input-read", refusing(10), expected), "kept");
  const std::string breach = "process 0, event 5 (Close): lets go of a client whose end it has not read";
  EXPECT_EQ(verdict_on("input-read", refusing(9), expected), breach);
  EXPECT_EQ(verdict_on("input-read", refusing(10, 3), expected), breach) << "nobody is told of a limit by address";
  expected.max_per_address = 3;
  EXPECT_EQ(verdict_on("input-read", refusing(10, 3), expected), "kept");
  EXPECT_EQ(verdict_on("input-read", refusing(10), expected), "kept");
  EXPECT_EQ(verdict_on("input-read", refusing(10, 2), expected), breach);
  EXPECT_EQ(verdict_on("input-read", refusing(9, 3), expected), breach);
}

}  // namespace
}  // namespace antiphon::verify
