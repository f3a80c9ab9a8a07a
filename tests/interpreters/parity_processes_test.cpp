#include "tests/interpreters/parity_plays.hpp"

#include <gtest/gtest.h>

#include <vector>

/// Every interpreter gives the same meaning to names, deadlines, the stop, and to processes that share sockets or
/// connect to each other.

namespace antiphon::parity {
namespace {

class ParityOfProcesses : public Parity {};

INSTANTIATE_TEST_SUITE_P(On, ParityOfProcesses, on_all_interpreters(), name_of_interpreter);

// -- Names -------------------------------------------------------------------------------------------------------

TEST_P(ParityOfProcesses, TheLowestFreeNameComesNext) {
  const auto run = play({.server = listening([] {
                           return all(Accept{listener}, Accept{listener}, Close{first}, Accept{listener}, Close{second},
                                      Close{first}, Accept{listener});
                         }),
                         .clients = std::vector<Script>(4, Script{connect})});
  EXPECT_EQ(run.process(0), listened("Accept 1; Accept 2; Close; Accept 1; Close; Close; Accept 1"));
  for (std::size_t client = 0; client < 4; ++client) EXPECT_EQ(run.client(client), "end");
}

TEST_P(ParityOfProcesses, UnknownNamesAreBad) {
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

TEST_P(ParityOfProcesses, ANameIsBadOnceItWasClosed) {
  const auto run = play(
      {.server = serving(Close{first}, read(1), Close{first}, Close{listener}, Accept{listener}, Listen{listener, 1}),
       .clients = {{connect}}});
  EXPECT_EQ(run.process(0), served("Close; Recv EBADF; Close EBADF; Close; Accept EBADF; Listen EBADF"));
}

TEST_P(ParityOfProcesses, AListenerIsNoConnection) {
  const auto run = play({.server = listening([] {
                           return all(Recv{listener, 1, patient}, Send{listener, bytes(1), patient},
                                      Recv{listener, 0, patient}, Send{listener, bytes(0), patient},
                                      ShutdownSend{listener}, Listen{listener, 3}, Close{listener});
                         })});
  EXPECT_EQ(run.process(0),
            listened("Recv ENOTCONN; Send EPIPE; Recv ENOTCONN; Send EPIPE; ShutdownSend; Listen; Close"));
}

TEST_P(ParityOfProcesses, AListenerThatIsShutStillListens) {
  const auto run = play({.server = listening([] {
                           return all(ShutdownSend{listener}, Accept{listener}, read(9), write(2), Close{first});
                         }),
                         .clients = {{connect, ClientSends{1}}}});
  EXPECT_EQ(run.process(0), listened("ShutdownSend; Accept 1; Recv 1; Send 2; Close"));
}

TEST_P(ParityOfProcesses, AnOpenSocketIsNeitherConnectedNorListening) {
  const auto run = play({.server = [](const Endpoint& at) {
    return all(OpenSocket{at}, Recv{listener, 1, patient}, Send{listener, bytes(1), patient}, Accept{listener},
               ShutdownSend{listener}, Recv{listener, 0, patient}, Send{listener, bytes(0), patient}, Close{listener});
  }});
  EXPECT_EQ(run.process(0),
            "OpenSocket 0; Recv ENOTCONN; Send EPIPE; Accept EINVAL; ShutdownSend ENOTCONN; Recv ENOTCONN; Send EPIPE; "
            "Close; ends");
}

TEST_P(ParityOfProcesses, AConnectionDoesNotListen) {
  const auto run = play({.server = serving(Accept{first}, Listen{first, 1}, read(9), Close{first}),
                         .clients = {{connect, pause(), EndSide{}}}});
  EXPECT_EQ(run.process(0), served("Accept EINVAL; Listen EINVAL; Recv end; Close"));
}

TEST_P(ParityOfProcesses, OnePortHasOneListener) {
  const auto run = play({.server = [](const Endpoint& at) {
    return all(OpenSocket{at}, OpenSocket{at}, Listen{Socket{0}, 1}, Listen{Socket{1}, 1}, OpenSocket{at},
               Close{Socket{0}}, Listen{Socket{1}, 1}, Close{Socket{1}}, OpenSocket{at});
  }});
  EXPECT_EQ(run.process(0),
            "OpenSocket 0; OpenSocket 1; Listen; Listen EADDRINUSE; OpenSocket EADDRINUSE; Close; Listen; Close; "
            "OpenSocket 0; ends");
}

TEST_P(ParityOfProcesses, AHostThatIsNoAddressIsRefused) {
  const auto run = play({.server = [](const Endpoint& at) {
    return all(OpenSocket{{"localhost", at.port}}, OpenSocket{{"", at.port}}, Connect{{"no address", 1}, patient});
  }});
  EXPECT_EQ(run.process(0), "OpenSocket EINVAL; OpenSocket EINVAL; Connect EINVAL; ends");
}

TEST_P(ParityOfProcesses, DescriptorsRunOut) {
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

TEST_P(ParityOfProcesses, AProgramConnectsToAProgram) {
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

TEST_P(ParityOfProcesses, APeerThatClosedAnswersWhatComesByAReset) {
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

TEST_P(ParityOfProcesses, ABacklogHoldsOneMoreThanItSays) {
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

TEST_P(ParityOfProcesses, WhoIsTurnedAwayAsksAgain) {
  const auto run =
      play({.server = listening(
                [] { return all(settle(4), Accept{listener}, Accept{listener}, Close{first}, Close{second}); }, 0),
            .clients = {{connect}, {pause(), connect}}});
  EXPECT_EQ(run.process(0), listened("Sleep; Accept 1; Accept 2; Close; Close"));
  EXPECT_EQ(run.client(0), "end");
  EXPECT_EQ(run.client(1), "end");
}

// -- Deadlines ---------------------------------------------------------------------------------------------------

TEST_P(ParityOfProcesses, AWaitExpiresUnlessItNeedNotWait) {
  const auto run = play({.server = serving(read(9, within(0)), read(9, within(-5)), read(9, within(50)), write(1),
                                           settle(), read(2, within(0)), read(9, within(-1)), write(1, within(0)),
                                           Sleep{0}, Sleep{-1}, Close{first}),
                         .clients = {{connect, Await{1}, ClientSends{3}}}});
  EXPECT_EQ(
      run.process(0),
      served("Recv Expired; Recv Expired; Recv Expired; Send 1; Sleep; Recv 2; Recv 1; Send 1; Sleep; Sleep; Close"));
}

TEST_P(ParityOfProcesses, AfterAWaitThatExpiredTheNextIsAsGood) {
  const auto run = play({.server = serving(read(9, within(50)), read(9, within(50)), write(1), read(9), settle(),
                                           read(9, within(0)), Close{first}),
                         .clients = {{connect, Await{1}, ClientSends{3}}}});
  EXPECT_EQ(run.process(0), served("Recv Expired; Recv Expired; Send 1; Recv 3; Sleep; Recv Expired; Close"));
  EXPECT_EQ(run.client(0), "sent 3; received 1; end");
}

// -- The stop ----------------------------------------------------------------------------------------------------

constexpr Deadline no_drain{.wait_ms = 20'000, .drain_ms = 0};

TEST_P(ParityOfProcesses, AStopIsAnsweredAtOnce) {
  const auto run = play({.server = listening_at([](const Endpoint& at) {
                           return all(Accept{listener}, Accept{listener}, Sleep{20'000}, Sleep{0},
                                      Connect{at, no_drain}, Close{listener});
                         }),
                         .stop_after_ms = settled_ms});
  EXPECT_EQ(run.process(0),
            listened("Accept Stopping; Accept Stopping; Sleep Stopping; Sleep Stopping; Connect Stopping; Close"));
}

TEST_P(ParityOfProcesses, AStopEndsASleep) {
  const auto run = play({.server = listening([] { return all(Sleep{20'000}); }), .stop_after_ms = settled_ms});
  EXPECT_EQ(run.process(0), listened("Sleep Stopping"));
}

TEST_P(ParityOfProcesses, AStopPassesOverWhatHasArrived) {
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

TEST_P(ParityOfProcesses, AfterAStopANameIsStillBad) {
  const auto run = play({.server = listening([] {
                           return all(Sleep{20'000}, Accept{second}, Recv{second, 1, no_drain},
                                      Send{second, bytes(1), no_drain}, ShutdownSend{second}, Close{second});
                         }),
                         .stop_after_ms = settled_ms});
  EXPECT_EQ(run.process(0),
            listened("Sleep Stopping; Accept EBADF; Recv EBADF; Send EBADF; ShutdownSend EBADF; Close EBADF"));
}

TEST_P(ParityOfProcesses, AfterAStopTheKindOfASocketIsNotAsked) {
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

TEST_P(ParityOfProcesses, AWaitThatGrantsADrainGoesOnAfterAStop) {
  const auto run = play({.server = serving(read(9), write(1), read(9), Close{first}),
                         .clients = {{connect, pause(4), ClientSends{3}, Await{1}, EndSide{}}},
                         .stop_after_ms = 2 * settled_ms});
  EXPECT_EQ(run.process(0), served("Recv 3; Send 1; Recv end; Close"));
  EXPECT_EQ(run.client(0), "sent 3; received 1; end");
}

TEST_P(ParityOfProcesses, OfTwoDeadlinesTheEarlierIsAnswered) {
  const auto stopped_in_a_recv = [&](const Deadline& until) {
    return play({.server = serving(read(9, until)), .clients = {{connect}}, .stop_after_ms = settled_ms}).process(0);
  };
  EXPECT_EQ(stopped_in_a_recv({.wait_ms = 2 * settled_ms, .drain_ms = 20'000}), served("Recv Expired"));
  EXPECT_EQ(stopped_in_a_recv({.wait_ms = 20'000, .drain_ms = settled_ms}), served("Recv Stopping"));
  EXPECT_EQ(stopped_in_a_recv(no_drain), served("Recv Stopping"));
}

TEST_P(ParityOfProcesses, AStopEndsASendThatWaits) {
  const auto run = play({.server = listening([] {
                           return then(Accept{listener}, [] {
                             return fill({.wait_ms = 20'000, .drain_ms = settled_ms}, [] { return all(Close{first}); });
                           });
                         }),
                         .clients = {{connect, StopReading{}}},
                         .stop_after_ms = 3 * settled_ms});
  EXPECT_EQ(run.shape(0), "OpenSocket; Listen; Accept; Send; Send Stopping; Close; ends");
}

TEST_P(ParityOfProcesses, AStopReachesAllProcesses) {
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

/// One child, in all or of those that are for clients at no address.
const std::vector<Fork> forks_of_one{Fork{1}, Fork{unlimited, 1}};

void expect_to_count_what_is_not_discarded(const std::function<Outcome(const Play&)>& play, const Fork& one) {
  const auto child = [] { return all(settle()); };
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

TEST_P(ParityOfProcesses, AForkCountsTheChildrenThatWereNotDiscarded) {
  for (const Fork& one : forks_of_one) expect_to_count_what_is_not_discarded(play, one);
}

TEST_P(ParityOfProcesses, ChildrenCountByAddressWhereTheirForkDidSo) {
  const Fork one{unlimited, 1};
  const auto child = [] { return all(settle()); };
  const auto run = play({.server = [=](const Endpoint&) {
    return fork_into([=] { return fork_into([=] { return fork_into(over, over, one); }, child, one); }, child);
  }});
  EXPECT_EQ(run.process(0), "Fork parent; Fork parent; Fork EAGAIN; ends");
}

TEST_P(ParityOfProcesses, ClientsThatAreGoneAreAtOneAddress) {
  const Fork for_first{unlimited, 1, first};
  const Fork for_second{unlimited, 1, second};
  const auto child = [] { return all(settle()); };
  const auto both = [=](const Script& one, const Script& other) {
    return play({.server = listening([=] {
                   const auto forks = [=] {
                     return fork_into([=] { return fork_into(over, over, for_second); }, child, for_first);
                   };
                   return chain({link(Accept{listener}), link(Accept{listener}), link(settle(4)),
                                 [=](const Next&) { return forks(); }});
                 }),
                 .clients = {one, other},
                 .addresses = 2})
        .process(0);
  };
  const Script stays{connect};
  const Script goes{connect, pause(2), Reset{}};
  const auto story = [](const char* last) {
    return listened("Accept 1; Accept 2; Sleep; Fork parent; Fork " + std::string(last));
  };
  EXPECT_EQ(both(stays, stays), story("parent"));
  EXPECT_EQ(both(stays, goes), story("parent"));
  EXPECT_EQ(both(goes, goes), story("EAGAIN"));
}

TEST_P(ParityOfProcesses, AForkOfNoneIsRefused) {
  for (const auto& forks : {std::pair(Fork{0}, Fork{-1}), std::pair(Fork{unlimited, 0}, Fork{unlimited, -1})}) {
    const auto run = play({.server = [forks](const Endpoint&) {
      return fork_into([forks] { return fork_into(over, over, forks.second); }, over, forks.first);
    }});
    EXPECT_EQ(run.process(0), "Fork EAGAIN; Fork EAGAIN; ends");
  }
}

TEST_P(ParityOfProcesses, ChildrenAndDiscardingAreNotInherited) {
  for (const Fork& one : forks_of_one) {
    const auto child = [=] {
      return fork_into([=] { return then(settle(3), [=] { return fork_into(over, over, one); }); }, over, one);
    };
    const auto run = play({.server = [=](const Endpoint&) {
      return then(DiscardChildren{}, [=] { return fork_into(over, child, one); });
    }});
    EXPECT_EQ(run.process(1), "Fork child; Fork parent; Sleep; Fork EAGAIN; ends");
  }
}

TEST_P(ParityOfProcesses, AGrandchildServesWhenAllOthersAreOver) {
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

}  // namespace
}  // namespace antiphon::parity
