#include "tests/interpreters/parity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "core/programs/seed.hpp"
#include "core/rewrite.hpp"
#include "tests/interpreters/small_programs.hpp"
#include "verify/judge.hpp"
#include "verify/retrace.hpp"

/// Every interpreter gives a program the same meaning: what its processes are answered, and what its clients meet.

namespace antiphon::parity {
namespace {

using namespace small;
using script::Await;
using script::EndSide;
using script::Pause;
using script::Reset;
using script::StopReading;
using ClientConnects = script::Connect;
using ClientSends = script::Send;

// -- Words -------------------------------------------------------------------------------------------------------

constexpr Socket listener{0};
constexpr Socket first{1};
constexpr Socket second{2};
constexpr Deadline patient{.wait_ms = 20'000, .drain_ms = 20'000};

/// Within this everything happens that can happen.
constexpr std::uint32_t settled_ms = 120;
Sleep settle(std::int64_t times = 1) { return Sleep{times * settled_ms}; }
Pause pause(std::uint32_t times = 1) { return Pause{times * settled_ms}; }

constexpr ClientConnects connect{};

Recv read(std::size_t at_most, Deadline until = patient) { return {first, at_most, until}; }
Send write(std::size_t count, Deadline until = patient) { return {first, bytes(count), until}; }
Deadline within(std::int64_t wait_ms) { return {.wait_ms = wait_ms, .drain_ms = 20'000}; }

using MakeServer = std::function<Server(const Endpoint&)>;

/// Listens at socket 0, then goes on.
MakeServer listening_at(const MakeServer& rest, int backlog = 8) {
  return [=](const Endpoint& at) {
    return then(OpenSocket{at}, [=] { return then(Listen{listener, backlog}, [=] { return rest(at); }); });
  };
}
MakeServer listening(const Next& rest, int backlog = 8) {
  return listening_at([=](const Endpoint&) { return rest(); }, backlog);
}

/// Listens and takes the first client as socket 1, then does all that.
template <Instruction... Is>
MakeServer serving(const Is&... rest) {
  return listening([=] { return all(Accept{listener}, rest...); });
}

/// The story of a server that was made by `serving`.
std::string served(const std::string& rest) { return "OpenSocket 0; Listen; Accept 1; " + rest + "; ends"; }
std::string listened(const std::string& rest) { return "OpenSocket 0; Listen; " + rest + "; ends"; }

/// Sends on socket 1 until that fails, then goes on.
Server fill(const Deadline& until, const Next& next) {
  const Bytes much = bytes(std::size_t{1} << 18U);
  return iter(Unit{},
              [=](const Unit&) {
                return Send{first, much, until} >> [](const Result<std::size_t>& sent) {
                  return ret(sent ? Step<Unit, Unit>(Continue{Unit{}}) : Step<Unit, Unit>(Break{Unit{}}));
                };
              }) >>
         [=](const Unit&) { return next(); };
}

/// Where the run went; any address if it went nowhere.
Endpoint address_of(const std::vector<ProcessEvent>& record) {
  for (const ProcessEvent& event : record) {
    const auto* const open = exchange_of<OpenSocket>(event);
    if (open != nullptr && open->instruction.at.port != 0) return {"127.0.0.1", open->instruction.at.port};
  }
  return {"127.0.0.1", 8888};
}

std::string where_it_parts_from_the_simulator(const Play& play, const Outcome& outcome) {
  std::vector<ProcessEvent> record;
  for (const Event& event : outcome.trace) {
    if (const auto* const one = std::get_if<ProcessEvent>(&event)) record.push_back(*one);
  }
  const auto retraced = verify::retrace(play.server(address_of(record)), record);
  if (!retraced) return retraced.error();
  if (!retraced->parting) return retraced->events == record.size() ? "" : "not all of it was looked at";
  const auto& [process, event] = retraced->parting->at;
  return "process " + std::to_string(process) + ", event " + std::to_string(event) + ": " + retraced->parting->sentence;
}

class Parity : public testing::TestWithParam<const Interpreter*> {
 protected:
  void SetUp() override {
    if (const auto why = GetParam()->why_not()) GTEST_SKIP() << *why;
  }
  /// Whatever it was played on, the simulator has that run too.
  static Outcome play(const Play& play) {
    Outcome outcome = GetParam()->play(play);
    EXPECT_EQ(where_it_parts_from_the_simulator(play, outcome), "");
    return outcome;
  }
};

INSTANTIATE_TEST_SUITE_P(On, Parity, testing::Values(&on_fork, &on_epoll, &on_uring, &on_simulated),
                         [](const auto& tested) { return std::string(tested.param->name); });

// -- Messages ----------------------------------------------------------------------------------------------------

TEST_P(Parity, AMessageInPiecesIsReadInPieces) {
  const auto run = play({.server = serving(read(9), write(3), read(9), write(4), read(9), Close{first}),
                         .clients = {{connect, ClientSends{3}, Await{3}, ClientSends{4}, EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Recv 3; Send 3; Recv 4; Send 4; Recv end; Close"));
  EXPECT_EQ(run.client(0), "sent 7; received 7; end");
}

TEST_P(Parity, SeveralMessagesAreReadAtOnce) {
  const auto run = play({.server = serving(settle(3), read(9), read(9), Close{first}),
                         .clients = {{connect, ClientSends{3}, pause(), ClientSends{4}, EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Recv 7; Recv end; Close"));
  EXPECT_EQ(run.client(0), "sent 7; end");
}

TEST_P(Parity, ARecvTakesNoMoreThanItAskedFor) {
  const auto run = play({.server = serving(settle(), read(2), read(2), read(2), read(2), Close{first}),
                         .clients = {{connect, ClientSends{5}, EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Recv 2; Recv 2; Recv 1; Recv end; Close"));
  EXPECT_EQ(run.client(0), "sent 5; end");
}

TEST_P(Parity, TheEndIsReadAgainAndAgain) {
  const auto run =
      play({.server = serving(read(9), read(9), read(9, within(0)), Close{first}), .clients = {{connect, EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Recv end; Recv end; Recv end; Close"));
  EXPECT_EQ(run.client(0), "end");
}

TEST_P(Parity, ARecvOfNothingWaitsUntilThereIsSomethingAndLeavesIt) {
  const auto run = play({.server = serving(read(0, within(50)), write(1), read(0), read(9), read(0), Close{first}),
                         .clients = {{connect, Await{1}, ClientSends{3}, EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Recv Expired; Send 1; Recv end; Recv 3; Recv end; Close"));
  EXPECT_EQ(run.client(0), "sent 3; received 1; end");
}

TEST_P(Parity, ARecvOfNothingMeetsTheReset) {
  const auto run =
      play({.server = serving(settle(2), read(0), read(0), Close{first}), .clients = {{connect, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Recv ECONNRESET; Recv end; Close"));
}

TEST_P(Parity, ASendOfNothingSendsNothing) {
  const auto run = play({.server = serving(write(0), ShutdownSend{first}, write(0), read(9), Close{first}),
                         .clients = {{connect, EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Send 0; ShutdownSend; Send EPIPE; Recv end; Close"));
  EXPECT_EQ(run.client(0), "end");
}

TEST_P(Parity, AClientThatSaysNothing) {
  const auto run = play({.server = serving(read(9), Close{first}), .clients = {{connect, EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Recv end; Close"));
  EXPECT_EQ(run.client(0), "end");
}

// -- Half-close --------------------------------------------------------------------------------------------------

TEST_P(Parity, AClientThatEndedItsSideStillReads) {
  const auto run = play({.server = serving(settle(), read(9), read(9), write(3), Close{first}),
                         .clients = {{connect, ClientSends{3}, EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Recv 3; Recv end; Send 3; Close"));
  EXPECT_EQ(run.client(0), "sent 3; received 3; end");
}

TEST_P(Parity, ASocketWhoseSideIsEndedStillReceives) {
  const auto run = play({.server = serving(ShutdownSend{first}, write(1), read(9), read(9), Close{first}),
                         .clients = {{connect, Await{1}, ClientSends{3}}}});
  EXPECT_EQ(run.process(0), served("ShutdownSend; Send EPIPE; Recv 3; Recv end; Close"));
  EXPECT_EQ(run.client(0), "sent 3; end");
}

TEST_P(Parity, ASideIsEndedTwiceWhileTheOtherStands) {
  const auto run = play({.server = serving(ShutdownSend{first}, ShutdownSend{first}, settle(), read(9),
                                           ShutdownSend{first}, write(1), read(9), Close{first}),
                         .clients = {{connect, Await{1}, pause()}}});
  EXPECT_EQ(run.process(0),
            served("ShutdownSend; ShutdownSend; Sleep; Recv end; ShutdownSend ENOTCONN; Send EPIPE; Recv end; Close"));
}

// -- Resets ------------------------------------------------------------------------------------------------------

TEST_P(Parity, AResetBeforeTheAccept) {
  const auto run = play(
      {.server = listening([] { return all(settle(2), Accept{listener}, read(9), read(9), write(1), Close{first}); }),
       .clients = {{connect, Reset{}}}});
  EXPECT_EQ(run.process(0), listened("Sleep; Accept 1; Recv ECONNRESET; Recv end; Send EPIPE; Close"));
  EXPECT_EQ(run.client(0), "resets");
}

TEST_P(Parity, BytesAndAResetBeforeTheAccept) {
  const auto run =
      play({.server = listening([] { return all(settle(3), Accept{listener}, read(9), read(9), read(9)); }),
            .clients = {{connect, ClientSends{3}, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), listened("Sleep; Accept 1; Recv 3; Recv ECONNRESET; Recv end"));
}

TEST_P(Parity, AResetWhileARecvWaits) {
  const auto run = play({.server = serving(read(9), write(1), read(9), read(9), write(1), Close{first}),
                         .clients = {{connect, ClientSends{3}, Await{1}, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Recv 3; Send 1; Recv ECONNRESET; Recv end; Send EPIPE; Close"));
  EXPECT_EQ(run.client(0), "sent 3; received 1; resets");
}

TEST_P(Parity, WhatArrivedBeforeAResetIsReadBeforeIt) {
  const auto run = play({.server = serving(settle(3), read(2), read(9), read(9), read(9), write(1)),
                         .clients = {{connect, ClientSends{5}, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Recv 2; Recv 3; Recv ECONNRESET; Recv end; Send EPIPE"));
}

TEST_P(Parity, AResetThatASendMeetsFirst) {
  const auto run = play({.server = serving(settle(2), write(1), write(1), read(9), Close{first}),
                         .clients = {{connect, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Send ECONNRESET; Send EPIPE; Recv end; Close"));
}

TEST_P(Parity, ASendOfNothingMeetsTheReset) {
  const auto run = play({.server = serving(settle(2), write(0), write(0), read(9), Close{first}),
                         .clients = {{connect, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Send ECONNRESET; Send EPIPE; Recv end; Close"));
}

TEST_P(Parity, BytesBeforeAResetThatASendMeets) {
  const auto run = play({.server = serving(settle(3), write(1), read(9), read(9), write(1), Close{first}),
                         .clients = {{connect, ClientSends{3}, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Send ECONNRESET; Recv 3; Recv end; Send EPIPE; Close"));
}

TEST_P(Parity, AResetWhileASendWaits) {
  const auto run = play({.server = listening([] {
                           return then(Accept{listener}, [] {
                             return fill(patient, [] { return all(write(1), read(9), Close{first}); });
                           });
                         }),
                         .clients = {{connect, StopReading{}, pause(4), Reset{}}}});
  EXPECT_EQ(run.shape(0), "OpenSocket; Listen; Accept; Send; Send ECONNRESET; Send EPIPE; Recv end; Close; ends");
}

TEST_P(Parity, AfterTheClientsEndAResetIsNotTold) {
  const std::vector<Script> clients{{connect, EndSide{}, pause(), Reset{}}};
  const auto reads =
      play({.server = serving(settle(3), read(9), write(1), write(1), Close{first}), .clients = clients});
  EXPECT_EQ(reads.process(0), served("Sleep; Recv end; Send EPIPE; Send EPIPE; Close"));
  const auto writes =
      play({.server = serving(settle(3), write(1), read(9), write(1), Close{first}), .clients = clients});
  EXPECT_EQ(writes.process(0), served("Sleep; Send EPIPE; Recv end; Send EPIPE; Close"));
}

TEST_P(Parity, AResetAfterTheEndWasRead) {
  const auto run = play({.server = serving(read(9), read(9), write(1), settle(3), read(9), write(1), Close{first}),
                         .clients = {{connect, ClientSends{3}, EndSide{}, Await{1}, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Recv 3; Recv end; Send 1; Sleep; Recv end; Send EPIPE; Close"));
}

TEST_P(Parity, BytesAndTheEndBeforeAReset) {
  const auto run = play({.server = serving(settle(3), read(2), write(1), read(9), read(9), Close{first}),
                         .clients = {{connect, ClientSends{3}, EndSide{}, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; Recv 2; Send EPIPE; Recv 1; Recv end; Close"));
}

TEST_P(Parity, AResetAfterOurEnd) {
  const auto run = play({.server = serving(ShutdownSend{first}, settle(3), write(1), write(1), read(9), Close{first}),
                         .clients = {{connect, Await{1}, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("ShutdownSend; Sleep; Send ECONNRESET; Send EPIPE; Recv end; Close"));
}

TEST_P(Parity, EndingASideThatWasReset) {
  const auto run = play({.server = serving(settle(2), ShutdownSend{first}, read(9), ShutdownSend{first}, Close{first}),
                         .clients = {{connect, pause(), Reset{}}}});
  EXPECT_EQ(run.process(0), served("Sleep; ShutdownSend ENOTCONN; Recv ECONNRESET; ShutdownSend ENOTCONN; Close"));
}

TEST_P(Parity, AResetIsToldOnceInAllProcesses) {
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

TEST_P(Parity, ClosingWithUnreadInputResets) {
  const std::vector<Script> clients{{connect, ClientSends{3}}};
  const auto part = play({.server = serving(settle(), read(2), write(1), settle(), Close{first}), .clients = clients});
  EXPECT_EQ(part.process(0), served("Sleep; Recv 2; Send 1; Sleep; Close"));
  EXPECT_EQ(part.client(0), "sent 3; received 1; reset");
  const auto none = play({.server = serving(settle(), Close{first}), .clients = clients});
  EXPECT_EQ(none.client(0), "sent 3; reset");
  const auto all_of_it = play({.server = serving(settle(), read(3), write(1), Close{first}), .clients = clients});
  EXPECT_EQ(all_of_it.client(0), "sent 3; received 1; end");
}

TEST_P(Parity, ClosingWithUnreadInputResetsEvenBehindAnEnd) {
  const auto run =
      play({.server = serving(settle(), read(2), Close{first}), .clients = {{connect, ClientSends{3}, EndSide{}}}});
  EXPECT_EQ(run.client(0), "sent 3; reset");
}

TEST_P(Parity, InputThatNobodyAskedForIsUnread) {
  // A Recv waited, was answered, and more came: whoever reads ahead has it.
  const auto run = play({.server = serving(read(9), write(1), settle(2), Close{first}),
                         .clients = {{connect, ClientSends{3}, Await{1}, ClientSends{5}}}});
  EXPECT_EQ(run.process(0), served("Recv 3; Send 1; Sleep; Close"));
  EXPECT_EQ(run.client(0), "sent 8; received 1; reset");
}

TEST_P(Parity, InputThatArrivesAfterTheCloseResets) {
  const auto run = play({.server = serving(Close{first}, settle(5)),
                         .clients = {{connect, Await{1}, ClientSends{3}, pause(), ClientSends{3}}}});
  EXPECT_EQ(run.client(0), "sent 3; end; reset");
}

TEST_P(Parity, AProcessThatEndsClosesAsIfItHadClosed) {
  const auto unread = play({.server = serving(settle()), .clients = {{connect, ClientSends{3}}}});
  EXPECT_EQ(unread.process(0), served("Sleep"));
  EXPECT_EQ(unread.client(0), "sent 3; reset");
  const auto quiet = play({.server = serving(write(2)), .clients = {{connect}}});
  EXPECT_EQ(quiet.client(0), "received 2; end");
}

TEST_P(Parity, AConnectionEndsWithItsLastHolder) {
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

TEST_P(Parity, ParentAndChildUseOneConnection) {
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

TEST_P(Parity, WhatWasReadAheadForOneHolderIsReadByTheOther) {
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

TEST_P(Parity, OneHolderEndsTheSideOfAll) {
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

TEST_P(Parity, AClosedNameDoesNotEndAnothersWait) {
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

TEST_P(Parity, WhoDoesNotReadHoldsUpHisSessionAlone) {
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

TEST_P(Parity, ASendOfNothingNeedsNoRoom) {
  const auto run = play({.server = listening([] {
                           return then(Accept{listener}, [] {
                             return fill(within(settled_ms), [] { return all(write(0, within(0)), Close{first}); });
                           });
                         }),
                         .clients = {{connect, StopReading{}}}});
  EXPECT_EQ(run.shape(0), "OpenSocket; Listen; Accept; Send; Send Expired; Send; Close; ends");
}

// -- Names -------------------------------------------------------------------------------------------------------

TEST_P(Parity, TheLowestFreeNameComesNext) {
  const auto run = play({.server = listening([] {
                           return all(Accept{listener}, Accept{listener}, Close{first}, Accept{listener}, Close{second},
                                      Close{first}, Accept{listener});
                         }),
                         .clients = std::vector<Script>(4, Script{connect})});
  EXPECT_EQ(run.process(0), listened("Accept 1; Accept 2; Close; Accept 1; Close; Close; Accept 1"));
  for (std::size_t client = 0; client < 4; ++client) EXPECT_EQ(run.client(client), "end");
}

TEST_P(Parity, UnknownNamesAreBad) {
  for (const Socket nobody : {Socket{7}, Socket{-1}, Socket{1 << 30}}) {
    const auto run = play({.server = [=](const Endpoint&) {
      return all(Listen{nobody, 1}, Accept{nobody}, Recv{nobody, 1, patient}, Send{nobody, bytes(1), patient},
                 Recv{nobody, 0, within(0)}, Send{nobody, bytes(0), within(0)}, ShutdownSend{nobody}, Close{nobody});
    }});
    EXPECT_EQ(run.process(0),
              "Listen EBADF; Accept EBADF; Recv EBADF; Send EBADF; Recv EBADF; Send EBADF; ShutdownSend EBADF; "
              "Close EBADF; ends");
  }
}

TEST_P(Parity, ANameIsBadOnceItWasClosed) {
  const auto run = play(
      {.server = serving(Close{first}, read(1), Close{first}, Close{listener}, Accept{listener}, Listen{listener, 1}),
       .clients = {{connect}}});
  EXPECT_EQ(run.process(0), served("Close; Recv EBADF; Close EBADF; Close; Accept EBADF; Listen EBADF"));
}

TEST_P(Parity, AListenerIsNoConnection) {
  const auto run = play({.server = listening([] {
                           return all(Recv{listener, 1, patient}, Send{listener, bytes(1), patient},
                                      Recv{listener, 0, patient}, Send{listener, bytes(0), patient},
                                      ShutdownSend{listener}, Listen{listener, 3}, Close{listener});
                         })});
  EXPECT_EQ(run.process(0),
            listened("Recv ENOTCONN; Send EPIPE; Recv ENOTCONN; Send EPIPE; ShutdownSend; Listen; Close"));
}

TEST_P(Parity, AListenerThatIsShutStillListens) {
  const auto run = play({.server = listening([] {
                           return all(ShutdownSend{listener}, Accept{listener}, read(9), write(2), Close{first});
                         }),
                         .clients = {{connect, ClientSends{1}}}});
  EXPECT_EQ(run.process(0), listened("ShutdownSend; Accept 1; Recv 1; Send 2; Close"));
}

TEST_P(Parity, AnOpenSocketIsNeitherConnectedNorListening) {
  const auto run = play({.server = [](const Endpoint& at) {
    return all(OpenSocket{at}, Recv{listener, 1, patient}, Send{listener, bytes(1), patient}, Accept{listener},
               ShutdownSend{listener}, Recv{listener, 0, patient}, Send{listener, bytes(0), patient}, Close{listener});
  }});
  EXPECT_EQ(run.process(0),
            "OpenSocket 0; Recv ENOTCONN; Send EPIPE; Accept EINVAL; ShutdownSend ENOTCONN; Recv ENOTCONN; Send EPIPE; "
            "Close; ends");
}

TEST_P(Parity, AConnectionDoesNotListen) {
  const auto run = play({.server = serving(Accept{first}, Listen{first, 1}, read(9), Close{first}),
                         .clients = {{connect, pause(), EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Accept EINVAL; Listen EINVAL; Recv end; Close"));
}

TEST_P(Parity, OnePortHasOneListener) {
  const auto run = play({.server = [](const Endpoint& at) {
    return all(OpenSocket{at}, OpenSocket{at}, Listen{Socket{0}, 1}, Listen{Socket{1}, 1}, OpenSocket{at},
               Close{Socket{0}}, Listen{Socket{1}, 1}, Close{Socket{1}}, OpenSocket{at});
  }});
  EXPECT_EQ(run.process(0),
            "OpenSocket 0; OpenSocket 1; Listen; Listen EADDRINUSE; OpenSocket EADDRINUSE; Close; Listen; Close; "
            "OpenSocket 0; ends");
}

TEST_P(Parity, AHostThatIsNoAddressIsRefused) {
  const auto run = play({.server = [](const Endpoint& at) {
    return all(OpenSocket{{"localhost", at.port}}, OpenSocket{{"", at.port}}, Connect{{"no address", 1}, patient});
  }});
  EXPECT_EQ(run.process(0), "OpenSocket EINVAL; OpenSocket EINVAL; Connect EINVAL; ends");
}

TEST_P(Parity, DescriptorsRunOut) {
  const auto run = play({.server =
                             [](const Endpoint& at) {
                               return then(Sleep{0}, [=] {
                                 return then(OpenSocket{at}, [=] {
                                   return all(Listen{listener, 8}, Accept{listener}, settle(), Accept{listener},
                                              OpenSocket{{"127.0.0.1", 0}}, Connect{at, patient}, Close{first},
                                              Accept{listener}, read(9), write(1), Close{first});
                                 });
                               });
                             },
                         .clients = {{connect}, {pause(), connect, ClientSends{2}}},
                         .most_sockets = 2});
  EXPECT_EQ(run.process(0),
            "Sleep; OpenSocket 0; Listen; Accept 1; Sleep; Accept EMFILE; OpenSocket EMFILE; Connect EMFILE; Close; "
            "Accept 1; Recv 2; Send 1; Close; ends");
  EXPECT_EQ(run.client(0), "end");
  EXPECT_EQ(run.client(1), "sent 2; received 1; end");
}

// -- Programs that are clients -----------------------------------------------------------------------------------

TEST_P(Parity, AProgramConnectsToAProgram) {
  const auto run =
      play({.server = listening_at([](const Endpoint& at) {
              return fork_into([] { return all(Accept{listener}, read(9), write(2), read(9), Close{first}); },
                               [=] {
                                 return all(Connect{{"127.0.0.1", 1}, patient}, Connect{at, patient}, write(3), read(9),
                                            Close{first});
                               });
            })});
  EXPECT_EQ(run.process(0), listened("Fork parent; Accept 1; Recv 3; Send 2; Recv end; Close"));
  EXPECT_EQ(run.process(1), "Fork child; Connect ECONNREFUSED; Connect 1; Send 3; Recv 2; Close; ends");
}

TEST_P(Parity, APeerThatClosedAnswersWhatComesByAReset) {
  const auto run = play({.server = listening_at([](const Endpoint& at) {
                           return fork_into(
                               [] {
                                 return all(Accept{listener}, settle(2), write(1), settle(), write(1), read(9),
                                            write(1), Close{first});
                               },
                               [=] { return all(Connect{at, patient}, settle(), Close{first}); });
                         })});
  EXPECT_EQ(run.process(0),
            listened("Fork parent; Accept 1; Sleep; Send 1; Sleep; Send EPIPE; Recv end; Send EPIPE; Close"));
}

TEST_P(Parity, ABacklogHoldsOneMoreThanItSays) {
  for (const int backlog : {0, 1}) {
    const auto run = play({.server = listening_at(
                               [=](const Endpoint& at) {
                                 const Connect in_vain{at, within(3 * settled_ms)};
                                 const auto last = [=] { return all(in_vain, Accept{listener}, Connect{at, patient}); };
                                 const auto more = [=] { return then(Connect{at, patient}, last); };
                                 return then(Connect{at, patient}, backlog == 0 ? Next(last) : Next(more));
                               },
                               backlog)});
    EXPECT_EQ(run.process(0), listened(backlog == 0 ? "Connect 1; Connect Expired; Accept 2; Connect 3"
                                                    : "Connect 1; Connect 2; Connect Expired; Accept 3; Connect 4"));
  }
}

TEST_P(Parity, WhoIsTurnedAwayAsksAgain) {
  const auto run =
      play({.server = listening(
                [] { return all(settle(4), Accept{listener}, Accept{listener}, Close{first}, Close{second}); }, 0),
            .clients = {{connect}, {pause(), connect}}});
  EXPECT_EQ(run.process(0), listened("Sleep; Accept 1; Accept 2; Close; Close"));
  EXPECT_EQ(run.client(0), "end");
  EXPECT_EQ(run.client(1), "end");
}

// -- Deadlines ---------------------------------------------------------------------------------------------------

TEST_P(Parity, AWaitExpiresUnlessItNeedNotWait) {
  const auto run = play({.server = serving(read(9, within(0)), read(9, within(-5)), read(9, within(50)), write(1),
                                           settle(), read(2, within(0)), read(9, within(-1)), write(1, within(0)),
                                           Sleep{0}, Sleep{-1}, Close{first}),
                         .clients = {{connect, Await{1}, ClientSends{3}}}});
  EXPECT_EQ(
      run.process(0),
      served("Recv Expired; Recv Expired; Recv Expired; Send 1; Sleep; Recv 2; Recv 1; Send 1; Sleep; Sleep; Close"));
}

TEST_P(Parity, AfterAWaitThatExpiredTheNextIsAsGood) {
  const auto run = play({.server = serving(read(9, within(50)), read(9, within(50)), write(1), read(9), settle(),
                                           read(9, within(0)), Close{first}),
                         .clients = {{connect, Await{1}, ClientSends{3}}}});
  EXPECT_EQ(run.process(0), served("Recv Expired; Recv Expired; Send 1; Recv 3; Sleep; Recv Expired; Close"));
  EXPECT_EQ(run.client(0), "sent 3; received 1; end");
}

// -- The stop ----------------------------------------------------------------------------------------------------

constexpr Deadline no_drain{.wait_ms = 20'000, .drain_ms = 0};

TEST_P(Parity, AStopIsAnsweredAtOnce) {
  const auto run = play({.server = listening_at([](const Endpoint& at) {
                           return all(Accept{listener}, Accept{listener}, Sleep{20'000}, Sleep{0},
                                      Connect{at, no_drain}, Close{listener});
                         }),
                         .stop_after_ms = settled_ms});
  EXPECT_EQ(run.process(0),
            listened("Accept Stopping; Accept Stopping; Sleep Stopping; Sleep Stopping; Connect Stopping; Close"));
}

TEST_P(Parity, AStopEndsASleep) {
  const auto run = play({.server = listening([] { return all(Sleep{20'000}); }), .stop_after_ms = settled_ms});
  EXPECT_EQ(run.process(0), listened("Sleep Stopping"));
}

TEST_P(Parity, AStopPassesOverWhatHasArrived) {
  const auto run = play({.server = serving(Sleep{20'000}, read(9, no_drain), write(1, no_drain), write(0, no_drain),
                                           Accept{listener}, read(9), write(2), Close{first}),
                         .clients = {{connect, ClientSends{3}}, {pause(), connect}},
                         .stop_after_ms = 3 * settled_ms});
  EXPECT_EQ(run.process(0),
            served("Sleep Stopping; Recv Stopping; Send Stopping; Send Stopping; Accept Stopping; Recv 3; "
                   "Send 2; Close"));
  EXPECT_EQ(run.client(0), "sent 3; received 2; end");
  EXPECT_EQ(run.client(1), "reset");
}

TEST_P(Parity, AfterAStopANameIsStillBad) {
  const auto run = play({.server = listening([] {
                           return all(Sleep{20'000}, Accept{second}, Recv{second, 1, no_drain},
                                      Send{second, bytes(1), no_drain}, ShutdownSend{second}, Close{second});
                         }),
                         .stop_after_ms = settled_ms});
  EXPECT_EQ(run.process(0),
            listened("Sleep Stopping; Accept EBADF; Recv EBADF; Send EBADF; ShutdownSend EBADF; Close EBADF"));
}

TEST_P(Parity, AfterAStopTheKindOfASocketIsNotAsked) {
  const auto run = play({.server = listening_at([](const Endpoint&) {
                           return then(OpenSocket{{"127.0.0.1", 0}}, [] {
                             return all(Sleep{20'000}, Accept{first}, Recv{listener, 1, no_drain},
                                        Send{listener, bytes(1), no_drain}, Recv{first, 1, no_drain},
                                        Recv{listener, 1, patient}, Send{first, bytes(1), patient});
                           });
                         }),
                         .stop_after_ms = settled_ms});
  EXPECT_EQ(run.process(0), listened("OpenSocket 1; Sleep Stopping; Accept Stopping; Recv Stopping; Send Stopping; "
                                     "Recv Stopping; Recv ENOTCONN; Send EPIPE"));
}

TEST_P(Parity, AWaitThatGrantsADrainGoesOnAfterAStop) {
  const auto run = play({.server = serving(read(9), write(1), read(9), Close{first}),
                         .clients = {{connect, pause(4), ClientSends{3}, Await{1}, EndSide{}}},
                         .stop_after_ms = 2 * settled_ms});
  EXPECT_EQ(run.process(0), served("Recv 3; Send 1; Recv end; Close"));
  EXPECT_EQ(run.client(0), "sent 3; received 1; end");
}

TEST_P(Parity, OfTwoDeadlinesTheEarlierIsAnswered) {
  const auto stopped_in_a_recv = [&](const Deadline& until) {
    return play({.server = serving(read(9, until)), .clients = {{connect}}, .stop_after_ms = settled_ms}).process(0);
  };
  EXPECT_EQ(stopped_in_a_recv({.wait_ms = 2 * settled_ms, .drain_ms = 20'000}), served("Recv Expired"));
  EXPECT_EQ(stopped_in_a_recv({.wait_ms = 20'000, .drain_ms = settled_ms}), served("Recv Stopping"));
  EXPECT_EQ(stopped_in_a_recv(no_drain), served("Recv Stopping"));
}

TEST_P(Parity, AStopEndsASendThatWaits) {
  const auto run = play({.server = listening([] {
                           return then(Accept{listener}, [] {
                             return fill({.wait_ms = 20'000, .drain_ms = settled_ms}, [] { return all(Close{first}); });
                           });
                         }),
                         .clients = {{connect, StopReading{}}},
                         .stop_after_ms = 3 * settled_ms});
  EXPECT_EQ(run.shape(0), "OpenSocket; Listen; Accept; Send; Send Stopping; Close; ends");
}

TEST_P(Parity, AStopReachesAllProcesses) {
  const auto run = play({.server = listening([] {
                           const auto waits = [] { return all(Sleep{20'000}); };
                           return fork_into([=] { return all(Accept{listener}, Sleep{0}); },
                                            [=] { return fork_into(waits, waits); });
                         }),
                         .stop_after_ms = settled_ms});
  EXPECT_EQ(run.process(0), listened("Fork parent; Accept Stopping; Sleep Stopping"));
  EXPECT_EQ(run.process(1), "Fork child; Fork parent; Sleep Stopping; ends");
  EXPECT_EQ(run.process(2), "Fork child; Sleep Stopping; ends");
}

// -- Processes ---------------------------------------------------------------------------------------------------

TEST_P(Parity, AForkCountsTheChildrenThatWereNotDiscarded) {
  const auto child = [] { return all(settle()); };
  const Fork one{1};
  const auto limited = [=](const Next& last) {
    return fork_into([=] { return fork_into([=] { return then(settle(4), last); }, child, one); }, child, one);
  };
  const auto again = [=] { return fork_into(over, over, one); };
  const auto kept = play({.server = [=](const Endpoint&) { return limited(again); }});
  EXPECT_EQ(kept.process(0), "Fork parent; Fork EAGAIN; Sleep; Fork EAGAIN; ends");
  const auto late =
      play({.server = [=](const Endpoint&) { return limited([=] { return then(DiscardChildren{}, again); }); }});
  EXPECT_EQ(late.process(0), "Fork parent; Fork EAGAIN; Sleep; DiscardChildren; Fork parent; ends");
  const auto discarded =
      play({.server = [=](const Endpoint&) { return then(DiscardChildren{}, [=] { return limited(again); }); }});
  EXPECT_EQ(discarded.process(0), "DiscardChildren; Fork parent; Fork EAGAIN; Sleep; Fork parent; ends");
}

TEST_P(Parity, AForkOfNoneIsRefused) {
  const auto run = play({.server = [](const Endpoint&) {
    return fork_into([] { return fork_into(over, over, Fork{-1}); }, over, Fork{0});
  }});
  EXPECT_EQ(run.process(0), "Fork EAGAIN; Fork EAGAIN; ends");
}

TEST_P(Parity, ChildrenAndDiscardingAreNotInherited) {
  const auto child = [] {
    return fork_into([] { return then(settle(3), [] { return fork_into(over, over, Fork{1}); }); }, over, Fork{1});
  };
  const auto run = play(
      {.server = [=](const Endpoint&) { return then(DiscardChildren{}, [=] { return fork_into(over, child); }); }});
  EXPECT_EQ(run.process(1), "Fork child; Fork parent; Sleep; Fork EAGAIN; ends");
}

TEST_P(Parity, AGrandchildServesWhenAllOthersAreOver) {
  const auto run = play(
      {.server = listening([] {
         return fork_into(over, [] {
           return fork_into(over, [] { return all(settle(2), Accept{listener}, read(9), write(4), Close{first}); });
         });
       }),
       .clients = {{pause(), connect, ClientSends{3}}}});
  EXPECT_EQ(run.process(0), listened("Fork parent"));
  EXPECT_EQ(run.process(1), "Fork child; Fork parent; ends");
  EXPECT_EQ(run.process(2), "Fork child; Sleep; Accept 1; Recv 3; Send 4; Close; ends");
  EXPECT_EQ(run.client(0), "sent 3; received 4; end");
}

// -- Whole servers -----------------------------------------------------------------------------------------------

/// Long enough for a slow machine, and over soon after a stop.
constexpr SessionOptions session{.until = {.wait_ms = 20'000, .drain_ms = 5'000}};

MakeServer named(std::string_view name, const SessionOptions& options = session) {
  return [=](const Endpoint& at) { return *program_named(name, {.server = {.at = at}, .session = options}); };
}

/// The seed's address is fixed; here it serves where it is told to.
MakeServer the_seed() {
  return [](const Endpoint& at) {
    return rewrite(seed::echo_server(), [=]<class I>(const I& instruction) {
      if constexpr (std::same_as<I, OpenSocket>) {
        return OpenSocket{at};
      } else {
        return instruction;
      }
    });
  };
}

/// By what the processes did alone: only a simulation knows what the clients did.
verify::Verdict judged(const Outcome& run, verify::Answers answers = verify::Answers::everything) {
  std::vector<Event> of_processes;
  std::ranges::copy_if(run.trace, std::back_inserter(of_processes),
                       [](const Event& event) { return std::holds_alternative<ProcessEvent>(event); });
  return verify::judge(of_processes, {answers, session.until.wait_ms, session.until.drain_ms, unlimited});
}

/// What it says of the run, in a line: nothing where all contracts hold.
std::string verdict(const Outcome& run, verify::Answers answers = verify::Answers::everything) {
  std::string text;
  const verify::Verdict found = judged(run, answers);
  for (const verify::Violation& one : found.violations) {
    text += std::string(one.clause.name) + " (" + one.sentence + "); ";
  }
  for (const std::string& remark : found.remarks) text += remark + "; ";
  return text;
}

/// Every client got back what it sent, and then the end.
void expect_echoes(const Outcome& run) {
  for (std::uint32_t client = 0; client < run.clients.size(); ++client) {
    const ClientOutcome& one = run.clients[client];
    EXPECT_EQ(one.received, payload(client, 0, one.sent)) << client;
    EXPECT_TRUE(one.met_end && !one.met_reset) << client;
  }
}

TEST_P(Parity, StreamEchoesAndItsContractsHold) {
  const auto run = play({.server = named("stream"),
                         .clients = {{connect, ClientSends{3}, Await{3}, ClientSends{400}, EndSide{}},
                                     {connect, EndSide{}},
                                     {pause(), connect, ClientSends{5}, pause(), ClientSends{5}, EndSide{}},
                                     {connect, ClientSends{9}, Await{9}, Reset{}},
                                     {connect, ClientSends{9}, Await{4}, EndSide{}}},
                         .stop_at_rest = true});
  EXPECT_EQ(verdict(run), "");
  EXPECT_EQ(run.shape(0),
            "DiscardChildren; OpenSocket; Listen; Accept; Fork parent; Close; Accept; Fork parent; Close; "
            "Accept; Fork parent; Close; Accept; Fork parent; Close; Accept; Fork parent; Close; "
            "Accept Stopping; Close; ends");
  EXPECT_EQ(run.client(0), "sent 403; received 403; end");
  EXPECT_EQ(run.client(1), "end");
  EXPECT_EQ(run.client(2), "sent 10; received 10; end");
  EXPECT_EQ(run.client(3), "sent 9; received 9; resets");
  EXPECT_EQ(run.client(4), "sent 9; received 9; end");
}

TEST_P(Parity, OnceAnswersTheFirstMessageAndItsContractsHold) {
  const auto run = play({.server = named("once"),
                         .clients = {{connect, ClientSends{3}, Await{4}, ClientSends{2}, EndSide{}},
                                     {connect, EndSide{}},
                                     {pause(), connect, ClientSends{3}, Await{4}, Reset{}}},
                         .stop_at_rest = true});
  EXPECT_EQ(verdict(run, verify::Answers::first_message), "");
  EXPECT_EQ(run.client(0), "sent 5; received 3; end");
  EXPECT_EQ(run.client(1), "end");
  EXPECT_EQ(run.client(2), "sent 3; received 3; end; resets");
}

TEST_P(Parity, TheSeedIsRefutedByTheSameClauses) {
  const auto run = play({.server = the_seed(),
                         .clients = {{connect, ClientSends{1}, Await{1}, ClientSends{1}, EndSide{}}},
                         .stop_at_rest = true});
  // Which is found first depends on who is faster to write it down.
  std::set<std::string_view> clauses;
  for (const verify::Violation& one : judged(run).violations) clauses.insert(one.clause.name);
  const std::set<std::string_view> expected{"own-connection", "idle-limit", "input-read", "released", "reaped"};
  EXPECT_EQ(clauses, expected);
  EXPECT_EQ(run.process(1), "Fork child; Recv 1; Send 1; Close; ends");
}

TEST_P(Parity, AThousandBytesOneByOne) {
  SessionOptions options = session;
  options.at_most = 1;
  const auto run = play(
      {.server = named("stream", options), .clients = {{connect, ClientSends{1000}, EndSide{}}}, .stop_at_rest = true});
  EXPECT_EQ(verdict(run), "");
  expect_echoes(run);
  std::string story = "Fork child; Close";
  for (int byte = 0; byte < 1000; ++byte) story += "; Recv 1; Send 1";
  EXPECT_EQ(run.process(1), story + "; Recv end; Close; ends");
}

TEST_P(Parity, MuchFromManyAtOnce) {
  const std::uint32_t much = 1U << 20U;
  const auto run = play({.server = named("stream"),
                         .clients = std::vector<Script>(4, {connect, ClientSends{much}, Await{much}, EndSide{}}),
                         .stop_at_rest = true});
  EXPECT_EQ(verdict(run), "");
  expect_echoes(run);
}

TEST_P(Parity, ManyChildrenAtOnce) {
  // They stay until the stop.
  constexpr std::uint32_t many = 200;
  constexpr SessionOptions until_the_stop{.until = {.wait_ms = forever_ms, .drain_ms = 0}};
  const auto run = play({.server = named("stream", until_the_stop),
                         .clients = std::vector<Script>(many, {connect, ClientSends{10}, Await{10}}),
                         .stop_at_rest = true});
  EXPECT_EQ(run.processes(), many + 1);
  EXPECT_EQ(judged(run).tally.at_once, many);
  for (ProcessId child = 1; child <= many; ++child) {
    EXPECT_EQ(run.joined(child), "Fork child; Close; Recv 10; Send 10; Recv Stopping; Close; ends");
  }
  expect_echoes(run);
}

TEST_P(Parity, AStopDrainsWhatWasAccepted) {
  const auto run = play({.server = named("stream"),
                         .clients = {{connect, ClientSends{3}, Await{3}, pause(4), ClientSends{4}, EndSide{}},
                                     {pause(4), connect, ClientSends{3}, EndSide{}}},
                         .stop_after_ms = 2 * settled_ms});
  EXPECT_EQ(verdict(run), "");
  EXPECT_EQ(run.client(0), "sent 7; received 7; end");
  EXPECT_EQ(run.client(1), "refused");
}

TEST_P(Parity, ClientsThatWaitMeetAResetWhenTheListenerCloses) {
  const auto run = play({.server = listening([] { return all(settle(2), Close{listener}, settle(4)); }),
                         .clients = {{connect, ClientSends{3}}, {connect}, {pause(4), connect}}});
  EXPECT_EQ(run.client(0), "sent 3; reset");
  EXPECT_EQ(run.client(1), "reset");
  EXPECT_EQ(run.client(2), "refused");
}

TEST_P(Parity, AListenerClosesWithItsLastHolder) {
  const auto run =
      play({.server = listening([] {
              return fork_into([] { return all(Close{listener}, settle(4)); },
                               [] { return all(settle(2), Accept{listener}, Close{listener}, settle(4)); });
            }),
            .clients = {{connect, ClientSends{1}}, {pause(), connect}, {pause(4), connect}}});
  EXPECT_EQ(run.process(1), "Fork child; Sleep; Accept 1; Close; Sleep; ends");
  EXPECT_EQ(run.client(0), "sent 1; reset");
  EXPECT_EQ(run.client(1), "reset");
  EXPECT_EQ(run.client(2), "refused");
}

TEST_P(Parity, ClientsAboveTheLimitAreRefused) {
  const auto run =
      play({.server =
                [](const Endpoint& at) {
                  return *program_named("stream", {.server = {.at = at, .max_connections = 1}, .session = session});
                },
            .clients = {{connect, ClientSends{3}, Await{3}, pause(4), EndSide{}},
                        {pause(2), connect},
                        {pause(8), connect, ClientSends{2}, EndSide{}}},
            .stop_at_rest = true});
  EXPECT_EQ(run.client(0), "sent 3; received 3; end");
  EXPECT_EQ(run.client(1), "end");
  EXPECT_EQ(run.client(2), "sent 2; received 2; end");
  EXPECT_EQ(run.process(0),
            "DiscardChildren; OpenSocket 0; Listen; Accept 1; Fork parent; Close; Accept 1; Fork EAGAIN; "
            "Close; Accept 1; Fork parent; Close; Accept Stopping; Close; ends");
}

}  // namespace
}  // namespace antiphon::parity
