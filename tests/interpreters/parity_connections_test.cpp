#include "tests/interpreters/parity_plays.hpp"

#include <gtest/gtest.h>

#include <vector>

/// Every interpreter gives connections the same meaning: what a process is answered, and what its client meets.

namespace antiphon::parity {
namespace {

class ParityOfConnections : public Parity {};

INSTANTIATE_TEST_SUITE_P(On, ParityOfConnections, on_all_interpreters(), name_of_interpreter);

// -- Messages ----------------------------------------------------------------------------------------------------

TEST_P(ParityOfConnections, AMessageInPiecesIsReadInPieces) {
  const auto run = play({.server = serving(read(9), write(3), read(9), write(4), read(9), Close{first}),
                         .clients = {{connect, ClientSends{3}, Await{3}, ClientSends{4}, EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Recv 3; Send 3; Recv 4; Send 4; Recv end; Close"));
  EXPECT_EQ(run.client(0), "sent 7; received 7; end");
}

TEST_P(ParityOfConnections, SeveralMessagesAreReadAtOnce) {
  const auto run = play({.server = serving(settle(3), read(9), read(9), Close{first}),
                         .clients = {{connect, ClientSends{3}, pause(), ClientSends{4}, EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Recv 7; Recv end; Close"));
  EXPECT_EQ(run.client(0), "sent 7; end");
}

TEST_P(ParityOfConnections, ARecvTakesNoMoreThanItAskedFor) {
  const auto run = play({.server = serving(settle(), read(2), read(2), read(2), read(2), Close{first}),
                         .clients = {{connect, ClientSends{5}, EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Recv 2; Recv 2; Recv 1; Recv end; Close"));
  EXPECT_EQ(run.client(0), "sent 5; end");
}

TEST_P(ParityOfConnections, TheEndIsReadAgainAndAgain) {
  const auto run =
      play({.server = serving(read(9), read(9), read(9, within(0)), Close{first}), .clients = {{connect, EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Recv end; Recv end; Recv end; Close"));
  EXPECT_EQ(run.client(0), "end");
}

TEST_P(ParityOfConnections, ARecvOfNothingWaitsUntilThereIsSomethingAndLeavesIt) {
  const auto run = play({.server = serving(read(0, within(50)), write(1), read(0), read(9), read(0), Close{first}),
                         .clients = {{connect, Await{1}, ClientSends{3}, EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Recv Expired; Send 1; Recv end; Recv 3; Recv end; Close"));
  EXPECT_EQ(run.client(0), "sent 3; received 1; end");
}

TEST_P(ParityOfConnections, ARecvOfNothingMeetsTheReset) {
  const auto run =
      play({.server = serving(settle(2), read(0), read(0), Close{first}), .clients = {{connect, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Recv ECONNRESET; Recv end; Close"));
}

TEST_P(ParityOfConnections, ASendOfNothingSendsNothing) {
  const auto run = play({.server = serving(write(0), ShutdownSend{first}, write(0), read(9), Close{first}),
                         .clients = {{connect, EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Send 0; ShutdownSend; Send EPIPE; Recv end; Close"));
  EXPECT_EQ(run.client(0), "end");
}

TEST_P(ParityOfConnections, AClientThatSaysNothing) {
  const auto run = play({.server = serving(read(9), Close{first}), .clients = {{connect, EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Recv end; Close"));
  EXPECT_EQ(run.client(0), "end");
}

// -- Half-close --------------------------------------------------------------------------------------------------

TEST_P(ParityOfConnections, AClientThatEndedItsSideStillReads) {
  const auto run = play({.server = serving(settle(), read(9), read(9), write(3), Close{first}),
                         .clients = {{connect, ClientSends{3}, EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Recv 3; Recv end; Send 3; Close"));
  EXPECT_EQ(run.client(0), "sent 3; received 3; end");
}

TEST_P(ParityOfConnections, ASocketWhoseSideIsEndedStillReceives) {
  const auto run = play({.server = serving(ShutdownSend{first}, write(1), read(9), read(9), Close{first}),
                         .clients = {{connect, Await{1}, ClientSends{3}}}});
  EXPECT_EQ(run.process(0), served("ShutdownSend; Send EPIPE; Recv 3; Recv end; Close"));
  EXPECT_EQ(run.client(0), "sent 3; end");
}

TEST_P(ParityOfConnections, ASideIsEndedTwiceWhileTheOtherStands) {
  const auto run = play({.server = serving(ShutdownSend{first}, ShutdownSend{first}, settle(), read(9),
                                           ShutdownSend{first}, write(1), read(9), Close{first}),
                         .clients = {{connect, Await{1}, pause()}}});
  EXPECT_EQ(run.process(0),
            served("ShutdownSend; ShutdownSend; Sleep; Recv end; ShutdownSend ENOTCONN; Send EPIPE; Recv end; Close"));
}

// -- Resets ------------------------------------------------------------------------------------------------------

TEST_P(ParityOfConnections, AResetBeforeTheAccept) {
  const auto run = play(
      {.server = listening([] { return all(settle(2), Accept{listener}, read(9), read(9), write(1), Close{first}); }),
       .clients = {{connect, Reset{}}}});
  EXPECT_EQ(run.process(0), listened("Sleep; Accept 1; Recv ECONNRESET; Recv end; Send EPIPE; Close"));
  EXPECT_EQ(run.client(0), "resets");
}

TEST_P(ParityOfConnections, BytesAndAResetBeforeTheAccept) {
  const auto run =
      play({.server = listening([] { return all(settle(3), Accept{listener}, read(9), read(9), read(9)); }),
            .clients = {{connect, ClientSends{3}, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), listened("Sleep; Accept 1; Recv 3; Recv ECONNRESET; Recv end"));
}

TEST_P(ParityOfConnections, AResetWhileARecvWaits) {
  const auto run = play({.server = serving(read(9), write(1), read(9), read(9), write(1), Close{first}),
                         .clients = {{connect, ClientSends{3}, Await{1}, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Recv 3; Send 1; Recv ECONNRESET; Recv end; Send EPIPE; Close"));
  EXPECT_EQ(run.client(0), "sent 3; received 1; resets");
}

TEST_P(ParityOfConnections, WhatArrivedBeforeAResetIsReadBeforeIt) {
  const auto run = play({.server = serving(settle(3), read(2), read(9), read(9), read(9), write(1)),
                         .clients = {{connect, ClientSends{5}, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Recv 2; Recv 3; Recv ECONNRESET; Recv end; Send EPIPE"));
}

TEST_P(ParityOfConnections, AResetThatASendMeetsFirst) {
  const auto run = play({.server = serving(settle(2), write(1), write(1), read(9), Close{first}),
                         .clients = {{connect, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Send ECONNRESET; Send EPIPE; Recv end; Close"));
}

TEST_P(ParityOfConnections, ASendOfNothingMeetsTheReset) {
  const auto run = play({.server = serving(settle(2), write(0), write(0), read(9), Close{first}),
                         .clients = {{connect, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Send ECONNRESET; Send EPIPE; Recv end; Close"));
}

TEST_P(ParityOfConnections, BytesBeforeAResetThatASendMeets) {
  const auto run = play({.server = serving(settle(3), write(1), read(9), read(9), write(1), Close{first}),
                         .clients = {{connect, ClientSends{3}, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Send ECONNRESET; Recv 3; Recv end; Send EPIPE; Close"));
}

TEST_P(ParityOfConnections, AResetWhileASendWaits) {
  const auto run = play({.server = listening([] {
                           return then(Accept{listener}, [] {
                             return fill(patient, [] { return all(write(1), read(9), Close{first}); });
                           });
                         }),
                         .clients = {{connect, StopReading{}, pause(4), Reset{}}}});
  EXPECT_EQ(run.shape(0), "OpenSocket; Listen; Accept; Send; Send ECONNRESET; Send EPIPE; Recv end; Close; ends");
}

TEST_P(ParityOfConnections, AfterTheClientsEndAResetIsNotTold) {
  const std::vector<Script> clients{{connect, EndSide{}, pause(), Reset{}}};
  const auto reads =
      play({.server = serving(settle(3), read(9), write(1), write(1), Close{first}), .clients = clients});
  EXPECT_EQ(reads.process(0), served("Sleep; Recv end; Send EPIPE; Send EPIPE; Close"));
  const auto writes =
      play({.server = serving(settle(3), write(1), read(9), write(1), Close{first}), .clients = clients});
  EXPECT_EQ(writes.process(0), served("Sleep; Send EPIPE; Recv end; Send EPIPE; Close"));
}

TEST_P(ParityOfConnections, AResetAfterTheEndWasRead) {
  const auto run = play({.server = serving(read(9), read(9), write(1), settle(3), read(9), write(1), Close{first}),
                         .clients = {{connect, ClientSends{3}, EndSide{}, Await{1}, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Recv 3; Recv end; Send 1; Sleep; Recv end; Send EPIPE; Close"));
}

TEST_P(ParityOfConnections, BytesAndTheEndBeforeAReset) {
  const auto run = play({.server = serving(settle(3), read(2), write(1), read(9), read(9), Close{first}),
                         .clients = {{connect, ClientSends{3}, EndSide{}, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Recv 2; Send EPIPE; Recv 1; Recv end; Close"));
}

TEST_P(ParityOfConnections, AResetAfterOurEnd) {
  const auto run = play({.server = serving(ShutdownSend{first}, settle(3), write(1), write(1), read(9), Close{first}),
                         .clients = {{connect, Await{1}, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("ShutdownSend; Sleep; Send ECONNRESET; Send EPIPE; Recv end; Close"));
}

TEST_P(ParityOfConnections, EndingASideThatWasReset) {
  const auto run = play({.server = serving(settle(2), ShutdownSend{first}, read(9), ShutdownSend{first}, Close{first}),
                         .clients = {{connect, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; ShutdownSend ENOTCONN; Recv ECONNRESET; ShutdownSend ENOTCONN; Close"));
}

TEST_P(ParityOfConnections, AResetIsToldOnceInAllProcesses) {
  const auto both_read = [] { return all(read(9), Close{first}); };
  const auto run = play(
      {.server = listening([=] { return then(Accept{listener}, [=] { return fork_into(both_read, both_read); }); }),
       .clients = {{connect, pause(), Reset{}}}});
  const bool parent_is_told = run.process(0) == served("Fork parent; Recv ECONNRESET; Close");
  EXPECT_EQ(run.process(0),
            served(parent_is_told ? "Fork parent; Recv ECONNRESET; Close" : "Fork parent; Recv end; Close"));
  EXPECT_EQ(run.process(1),
            parent_is_told ? "Fork child; Recv end; Close; ends" : "Fork child; Recv ECONNRESET; Close; ends");
}

// -- Closing -----------------------------------------------------------------------------------------------------

TEST_P(ParityOfConnections, ClosingWithUnreadInputResets) {
  const std::vector<Script> clients{{connect, ClientSends{3}}};
  const auto part = play({.server = serving(settle(), read(2), write(1), settle(), Close{first}), .clients = clients});
  EXPECT_EQ(part.process(0), served("Sleep; Recv 2; Send 1; Sleep; Close"));
  EXPECT_EQ(part.client(0), "sent 3; received 1; reset");
  const auto none = play({.server = serving(settle(), Close{first}), .clients = clients});
  EXPECT_EQ(none.client(0), "sent 3; reset");
  const auto all_of_it = play({.server = serving(settle(), read(3), write(1), Close{first}), .clients = clients});
  EXPECT_EQ(all_of_it.client(0), "sent 3; received 1; end");
}

TEST_P(ParityOfConnections, ClosingWithUnreadInputResetsEvenBehindAnEnd) {
  const auto run =
      play({.server = serving(settle(), read(2), Close{first}), .clients = {{connect, ClientSends{3}, EndSide{}}}});
  EXPECT_EQ(run.client(0), "sent 3; reset");
}

TEST_P(ParityOfConnections, InputThatNobodyAskedForIsUnread) {
  // A Recv waited, was answered, and more came: whoever reads ahead has it.
  const auto run = play({.server = serving(read(9), write(1), settle(2), Close{first}),
                         .clients = {{connect, ClientSends{3}, Await{1}, ClientSends{5}}}});
  EXPECT_EQ(run.process(0), served("Recv 3; Send 1; Sleep; Close"));
  EXPECT_EQ(run.client(0), "sent 8; received 1; reset");
}

TEST_P(ParityOfConnections, InputThatArrivesAfterTheCloseResets) {
  const auto run = play({.server = serving(Close{first}, settle(5)),
                         .clients = {{connect, Await{1}, ClientSends{3}, pause(), ClientSends{3}}}});
  EXPECT_EQ(run.client(0), "sent 3; end; reset");
}

TEST_P(ParityOfConnections, AProcessThatEndsClosesAsIfItHadClosed) {
  const auto unread = play({.server = serving(settle()), .clients = {{connect, ClientSends{3}}}});
  EXPECT_EQ(unread.process(0), served("Sleep"));
  EXPECT_EQ(unread.client(0), "sent 3; reset");
  const auto quiet = play({.server = serving(write(2)), .clients = {{connect}}});
  EXPECT_EQ(quiet.client(0), "received 2; end");
}

TEST_P(ParityOfConnections, AConnectionEndsWithItsLastHolder) {
  const auto run =
      play({.server = listening([] {
              return then(Accept{listener}, [] {
                return fork_into([] { return all(Close{first}, settle(3)); },
                                 [] { return all(settle(), write(1), Close{first}, write(1), settle(3)); });
              });
            }),
            .clients = {{connect, Await{1}}}});
  EXPECT_EQ(run.process(0), served("Fork parent; Close; Sleep"));
  EXPECT_EQ(run.process(1), "Fork child; Sleep; Send 1; Close; Send EBADF; Sleep; ends");
  EXPECT_EQ(run.client(0), "received 1; end");
}

TEST_P(ParityOfConnections, ParentAndChildUseOneConnection) {
  const auto run = play({.server = listening([] {
                           return then(Accept{listener}, [] {
                             return fork_into([] { return all(settle(2), read(9), write(3), Close{first}); },
                                              [] { return all(read(9), write(2), Close{first}); });
                           });
                         }),
                         .clients = {{connect, ClientSends{1}, Await{2}, ClientSends{4}}}});
  EXPECT_EQ(run.process(0), served("Fork parent; Sleep; Recv 4; Send 3; Close"));
  EXPECT_EQ(run.process(1), "Fork child; Recv 1; Send 2; Close; ends");
  EXPECT_EQ(run.client(0), "sent 5; received 5; end");
}

TEST_P(ParityOfConnections, WhatWasReadAheadForOneHolderIsReadByTheOther) {
  // The child waits first; what comes after its message is the parent's.
  const auto run = play({.server = listening([] {
                           return then(Accept{listener}, [] {
                             return fork_into([] { return all(settle(2), read(9), write(3), Close{first}); },
                                              [] { return all(read(2), write(2), Close{first}); });
                           });
                         }),
                         .clients = {{connect, ClientSends{6}}}});
  EXPECT_EQ(run.process(0), served("Fork parent; Sleep; Recv 4; Send 3; Close"));
  EXPECT_EQ(run.process(1), "Fork child; Recv 2; Send 2; Close; ends");
  EXPECT_EQ(run.client(0), "sent 6; received 5; end");
}

TEST_P(ParityOfConnections, OneHolderEndsTheSideOfAll) {
  const auto run = play({.server = listening([] {
                           return then(Accept{listener}, [] {
                             return fork_into([] { return all(settle(), write(1), read(9), Close{first}); },
                                              [] { return all(ShutdownSend{first}, Close{first}); });
                           });
                         }),
                         .clients = {{connect, Await{1}, ClientSends{2}}}});
  EXPECT_EQ(run.process(0), served("Fork parent; Sleep; Send EPIPE; Recv 2; Close"));
  EXPECT_EQ(run.client(0), "sent 2; end");
}

TEST_P(ParityOfConnections, AClosedNameDoesNotEndAnothersWait) {
  const auto run = play({.server = listening([] {
                           return then(Accept{listener}, [] {
                             return fork_into([] { return all(settle(), Close{first}, settle()); },
                                              [] { return all(read(9), write(1), Close{first}); });
                           });
                         }),
                         .clients = {{connect, pause(2), ClientSends{2}}}});
  EXPECT_EQ(run.process(1), "Fork child; Recv 2; Send 1; Close; ends");
  EXPECT_EQ(run.client(0), "sent 2; received 1; end");
}

// -- A peer that does not read -----------------------------------------------------------------------------------

TEST_P(ParityOfConnections, WhoDoesNotReadHoldsUpHisSessionAlone) {
  const auto run =
      play({.server = listening([] {
              return then(Accept{listener}, [] {
                return fork_into([] { return all(Close{first}, Accept{listener}, read(9), write(2), Close{first}); },
                                 [] { return fill(within(2 * settled_ms), [] { return all(Close{first}); }); });
              });
            }),
            .clients = {{connect, StopReading{}}, {pause(2), connect, ClientSends{4}}}});
  EXPECT_EQ(run.process(0), served("Fork parent; Close; Accept 1; Recv 4; Send 2; Close"));
  EXPECT_EQ(run.shape(1), "Fork child; Send; Send Expired; Close; ends");
  EXPECT_EQ(run.client(1), "sent 4; received 2; end");
}

TEST_P(ParityOfConnections, ASendOfNothingNeedsNoRoom) {
  const auto run = play({.server = listening([] {
                           return then(Accept{listener}, [] {
                             return fill(within(settled_ms), [] { return all(write(0, within(0)), Close{first}); });
                           });
                         }),
                         .clients = {{connect, StopReading{}}}});
  EXPECT_EQ(run.shape(0), "OpenSocket; Listen; Accept; Send; Send Expired; Send; Close; ends");
}

}  // namespace
}  // namespace antiphon::parity
