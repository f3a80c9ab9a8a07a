#include "verify/retrace.hpp"

#include <algorithm>
#include <cstddef>
#include <expected>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "interpreters/simulated.hpp"
#include "tests/interpreters/small_programs.hpp"
#include "tests/rapidcheck.hpp"
#include "tests/verify/history.hpp"
#include "verify/generate.hpp"
#include "verify/token.hpp"

namespace antiphon::verify {
namespace {

using namespace small;
using Record = std::vector<ProcessEvent>;

Record of_processes(const std::vector<Event>& trace) {
  Record record;
  for (const Event& event : trace) {
    if (const auto* const one = std::get_if<ProcessEvent>(&event)) record.push_back(*one);
  }
  return record;
}

/// "found", or where they part.
std::string outcome(const Server& server, const Record& record) {
  const auto retraced = retrace(server, record);
  if (!retraced) return retraced.error();
  if (!retraced->parting) return retraced->events == record.size() ? "found" : "not all of it was looked at";
  const auto& [process, event] = retraced->parting->at;
  return std::to_string(process) + "." + std::to_string(event) + " " + retraced->parting->sentence;
}
std::string outcome(const Server& server, const History& history) {
  return outcome(server, of_processes(history.events));
}

/// The server of the histories.
Server stream() { return *program_named("stream", {.server = {.backlog = 8}, .session = {}}); }

Record simulated(std::string_view program, std::uint64_t seed, bool faulty) {
  const Scenario scenario = draw({4, std::vector<bool>(fault_classes().size(), faulty)}, seed);
  return of_processes(simulate(*program_named(program), scenario).trace);
}

/// Listens and takes a client, then does that.
template <Instruction... Is>
Server taking(const Is&... rest) {
  return all(OpenSocket{{"::1", 1}}, Listen{listener, 1}, Accept{listener}, rest...);
}
History taken() {
  return History()
      .on(0, OpenSocket{{"::1", 1}}, listener)
      .on(0, Listen{listener, 1}, Endpoint{"::1", 1})
      .on(0, Accept{listener}, client);
}

// -- Runs of the simulator --------------------------------------------------------------------------------------------

TEST(Retrace, FindsEveryRunOfTheSimulator) {
  EXPECT_TRUE(holds([](std::uint64_t seed, bool faulty) {
    for (const std::string_view program : program_names) {
      RC_ASSERT(outcome(*program_named(program), simulated(program, seed, faulty)) == "found");
    }
  }));
}

TEST(Retrace, FindsWhatIsThereOfARunThatIsCut) {
  EXPECT_TRUE(holds([](std::uint64_t seed, bool faulty, std::size_t size) {
    Record record = simulated("stream", seed, faulty);
    record.resize(size % (record.size() + 1));
    RC_ASSERT(outcome(*program_named("stream"), record) == "found");
  }));
}

TEST(Retrace, TheTokenHasTheRun) {
  EXPECT_TRUE(holds(
      [](std::uint64_t seed, bool faulty) {
        const Server server = *program_named("once");
        const Record record = simulated("once", seed, faulty);
        const auto retraced = retrace(server, record);
        const auto again = scenario_of(token_of(*retraced->scenario, "once", "0123456789ab"), "once", "0123456789ab");
        RC_ASSERT(has_run(server, *again, retraced->steps, record, Operands::all));
        RC_ASSERT(!has_run(*program_named("seed"), *again, retraced->steps, record, Operands::sockets));
        RC_ASSERT(!has_run(server, *again, retraced->steps / 2, record, Operands::all));
      },
      100));
}

/// The place of the last Send that carried all it was given.
std::optional<std::size_t> last_full_send(const Record& record) {
  for (std::size_t place = record.size(); place-- > 0;) {
    const auto* const send = exchange_of<Send>(record[place]);
    if (send != nullptr && send->response && *send->response == send->instruction.bytes.size()) return place;
  }
  return std::nullopt;
}

TEST(Retrace, PointsAtAnAnswerThatNoNetworkGives) {
  EXPECT_TRUE(holds([](std::uint64_t seed, bool faulty) {
    Record record = simulated("stream", seed, faulty);
    const auto place = last_full_send(record);
    RC_PRE(place.has_value());
    ++**exchange_of<Send>(record[*place])->response;
    const auto retraced = retrace(*program_named("stream"), record);
    const ProcessEventName at{record[*place].process, record[*place].number};
    RC_ASSERT(retraced->parting.has_value());
    RC_ASSERT((retraced->parting->at == at));
  }));
}

TEST(Retrace, ASizeThatNoSendHasSaysNothingOfBuffers) {
  // In this run a Send expired, since a buffer was full. The spoiled answer does not show that more has room there.
  Record record = simulated("stream", 1'954'538'037'680, true);
  const auto place = last_full_send(record);
  ASSERT_TRUE(place);
  ++**exchange_of<Send>(record[*place])->response;
  const auto retraced = retrace(*program_named("stream"), record);
  ASSERT_TRUE(retraced->parting);
  EXPECT_EQ(retraced->parting->at, (ProcessEventName{record[*place].process, record[*place].number}))
      << retraced->parting->sentence;
}

// -- Orders -----------------------------------------------------------------------------------------------------------

TEST(Retrace, AChildMayBeRecordedBeforeItsFork) {
  const Record record = of_processes(conversation().events);
  Record child_first;
  for (const ProcessId process : {1U, 0U}) {
    std::ranges::copy_if(record, std::back_inserter(child_first),
                         [=](const ProcessEvent& event) { return event.process == process; });
  }
  EXPECT_EQ(outcome(stream(), child_first), "found");
}

TEST(Retrace, TheStopReachesNobodyBeforeHeAnswersSo) {
  const Server server = fork_into([] { return all(Sleep{9}); }, [] { return all(Sleep{5}, Sleep{6}); });
  EXPECT_EQ(outcome(server, History()
                                .forks(0, 1)
                                .on(0, Sleep{9}, failed(Errno::STOPPING))
                                .ends(0)
                                .on(1, Sleep{5}, done())
                                .on(1, Sleep{6}, failed(Errno::STOPPING))
                                .ends(1)),
            "found");
}

TEST(Retrace, WhoseForkIsTooManyWaitsForAChildsEnd) {
  const auto again = [] { return fork_into(over, over, Fork{1}); };
  const Server server =
      then(DiscardChildren{}, [=] { return fork_into(again, [] { return all(Close{Socket{7}}); }, Fork{1}); });
  History history;
  history.on(0, DiscardChildren{}, done());
  const Exchange<Fork> parent{{1}, Forked(Parent{Pid{100}})};
  const Exchange<Fork> child{{1}, Forked(Child{})};
  history.events.emplace_back(ProcessEvent{0, 1, Issued{parent, 1}});
  history.events.emplace_back(ProcessEvent{0, 2, Issued{parent, 2}});
  history.events.emplace_back(ProcessEvent{0, 3, Ended{}});
  history.events.emplace_back(ProcessEvent{2, 0, Issued{child, {}}});
  history.events.emplace_back(ProcessEvent{2, 1, Ended{}});
  history.events.emplace_back(ProcessEvent{1, 0, Issued{child, {}}});
  history.events.emplace_back(ProcessEvent{1, 1, Issued{Exchange<Close>{{Socket{7}}, failed(Errno::BADF)}, {}}});
  history.events.emplace_back(ProcessEvent{1, 2, Ended{}});
  EXPECT_EQ(outcome(server, history), "found");
}

TEST(Retrace, WhoReadsTheEndWaitsForOthersWhoReadMore) {
  const Server both_read = then(OpenSocket{{"::1", 1}}, [] {
    return then(Listen{listener, 1}, [] {
      return then(Accept{listener}, [] { return fork_into([] { return all(read()); }, [] { return all(read()); }); });
    });
  });
  const auto reading = [&](const Result<Bytes>& first, const Result<Bytes>& second) {
    History history = taken();
    history.forks(0, 1).on(0, read(), first).ends(0).on(1, read(), second).ends(1);
    return outcome(both_read, history);
  };
  EXPECT_EQ(reading(bytes(""), bytes("")), "found");
  EXPECT_EQ(reading(bytes(""), bytes("abc")), "found");
  EXPECT_EQ(reading(bytes(""), failed(Errno::CONNRESET)), "found");
  EXPECT_EQ(reading(failed(Errno::CONNRESET), failed(Errno::CONNRESET)),
            "1.1 Recv 1 was answered with ECONNRESET; in the simulated network it is answered with the end");
}

TEST(Retrace, WhatAProcessDidWhoseForkIsMissingIsLeftOut) {
  Record record = of_processes(conversation().events);
  std::erase_if(record, [](const ProcessEvent& event) { return event.process == 0 && event.number > 2; });
  const auto retraced = retrace(stream(), record);
  EXPECT_TRUE(retraced->scenario);
  EXPECT_EQ(retraced->events, 3U);
  EXPECT_EQ(retraced->left_out, record.size() - 3);
}

// -- What a scenario needs --------------------------------------------------------------------------------------------

TEST(Retrace, SaysHowLargeAScopeItNeeds) {
  const auto retraced = retrace(stream(), of_processes(having_read("abc")
                                                           .on(1, write("abc"), 3)
                                                           .on(1, read(), failed(Errno::INTR))
                                                           .on(1, read(), bytes("de"))
                                                           .on(1, write("de"), failed(Errno::STOPPING))
                                                           .on(1, Close{client}, done())
                                                           .ends(1)
                                                           .events));
  ASSERT_TRUE(retraced->scenario);
  EXPECT_EQ(describe(*retraced->scenario),
            "client 1: connect, send 3, send 2\n"
            "fault: Recv number 2 answers EINTR\n"
            "the server is stopped after 16 steps\n"
            "time is free: whoever may wait no longer may do so at any step\n"
            "reads and writes may be short\n");
  const ScopeNeeded& needed = retraced->needed;
  EXPECT_EQ(needed.clients, 1U);
  EXPECT_EQ(needed.messages, 2U);
  EXPECT_EQ(needed.size, 3U);
  EXPECT_EQ(needed.faults, 1U);
  EXPECT_TRUE(needed.stop);
}

TEST(Retrace, BuffersAreAsSmallAsTheRecordedOnesWere) {
  const auto retraced = retrace(stream(), of_processes(having_read("abcde")
                                                           .on(1, write("abcde"), 5)
                                                           .on(1, read(), bytes("fg"))
                                                           .on(1, write("fg"), failed(Errno::EXPIRED))
                                                           .on(1, Close{client}, done())
                                                           .ends(1)
                                                           .events));
  ASSERT_TRUE(retraced->scenario);
  EXPECT_EQ(retraced->scenario->capacity, 5U);
}

TEST(Retrace, LargerRecordsAreRefused) {
  Record record(most_retraced_events + 1);
  for (std::size_t number = 0; number < record.size(); ++number) {
    record[number] = {0, number, Issued{Exchange<Sleep>{{1}, Unit{}}, {}}};
  }
  EXPECT_EQ(outcome(over(), record), "it has more than 20000 events: it is not looked for in the simulator");
  record.resize(most_retraced_connections + 1);
  for (ProcessEvent& event : record) event.what = Issued{Exchange<Accept>{{listener}, client}, {}};
  EXPECT_EQ(outcome(over(), record), "it has more than 1024 connections: it is not looked for in the simulator");
  const auto much = having_read(std::string(std::size_t{most_retraced_bytes} + 1, 'x'));
  EXPECT_EQ(outcome(stream(), much),
            "it has more than 1048576 bytes in one answer: it is not looked for in the simulator");
}

// -- Addresses --------------------------------------------------------------------------------------------------------

/// Takes two clients, and forks for one of an address.
Server serving_one_of_each_address(Socket other) {
  return then(OpenSocket{{"::1", 1}}, [=] {
    return then(Listen{listener, 1}, [=] {
      return then(Accept{listener}, [=] {
        return then(Accept{listener}, [=] {
          const auto again = [=] { return fork_into(over, over, Fork{unlimited, 1, other}); };
          return fork_into(again, over, Fork{unlimited, 1, client});
        });
      });
    });
  });
}

History forked_for(const Fork& fork, ProcessId child, History history, const Fork::Response& response) {
  const std::uint64_t number = child + 3;
  if (!response) return history.on(0, fork, response);
  history.events.emplace_back(ProcessEvent{0, number, Issued{Exchange<Fork>{fork, response}, child}});
  history.events.emplace_back(ProcessEvent{child, 0, Issued{Exchange<Fork>{fork, Forked(Child{})}, {}}});
  history.events.emplace_back(ProcessEvent{child, 1, Ended{}});
  return history;
}

std::expected<Retraced, std::string> retraced_by_address(Socket other, const Fork::Response& to_second) {
  const Forked parent(Parent{Pid{100}});
  History history = taken().on(0, Accept{listener}, Socket{2});
  history = forked_for({unlimited, 1, client}, 1, history, parent);
  history = forked_for({unlimited, 1, other}, 2, history, to_second);
  return retrace(serving_one_of_each_address(other), of_processes(history.events));
}

TEST(Retrace, ClientsThatAreCountedByAddressMayEachHaveTheirOwn) {
  const auto both = retraced_by_address(Socket{2}, Forked(Parent{Pid{101}}));
  ASSERT_TRUE(both && both->scenario);
  EXPECT_EQ(both->scenario->addresses, 2U);
  EXPECT_EQ(both->needed.faults, 0U);
  const auto refused = retraced_by_address(Socket{2}, failed(Errno::AGAIN));
  ASSERT_TRUE(refused && refused->scenario);
  EXPECT_EQ(refused->needed.faults, 1U) << "who shares an address is not told";
}

TEST(Retrace, WhereAddressesDecideNoPartingIsTold) {
  const auto twice = retraced_by_address(client, Forked(Parent{Pid{101}}));
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error(),
            "it counts clients by address, and does not tell who shares one: it is not found in the simulator");
}

// -- Differences that are planted -------------------------------------------------------------------------------------

TEST(Retrace, FindsWhatTheProgramDoesNotDo) {
  EXPECT_EQ(outcome(stream(), having_read("abc").on(1, Close{client}, done())),
            "1.3 Close 1 was answered with ok; the program issues Send 1 of 3 bytes there");
  EXPECT_EQ(outcome(stream(), serving().on(1, Recv{client, 16384, {}}, bytes("abc"))),
            "1.2 Recv 1 was answered with 3 bytes; the program issues it with other operands");
  EXPECT_EQ(outcome(stream(), serving().ends(1)),
            "1.2 the process ends; in the simulated network it goes on with Recv 1");
  EXPECT_EQ(outcome(stream(), having_read("").on(1, Close{client}, done()).ends(1, failed(Errno::IO))),
            "1.4 the process ends with EIO; in the simulated network it ends");
  EXPECT_EQ(outcome(stream(), conversation().on(1, Close{client}, done())),
            "1.7 Close 1 was answered with ok; the program has ended there");
}

TEST(Retrace, FindsNamesThatNoInterpreterGives) {
  EXPECT_EQ(outcome(stream(), opening().on(0, Accept{listener}, listener)),
            "0.3 Accept 0 was answered with socket 0; in the simulated network it is answered with socket 1");
  EXPECT_EQ(outcome(stream(), opening().on(0, Accept{listener}, Socket{2})),
            "0.3 Accept 0 was answered with socket 2; in the simulated network it is answered with socket 1");
  EXPECT_EQ(outcome(all(Close{client}), History().on(0, Close{client}, done())),
            "0.0 Close 1 was answered with ok; in the simulated network it is answered with EBADF");
  EXPECT_EQ(outcome(stream(), serving().on(1, read(), failed(Errno::BADF))),
            "1.2 Recv 1 was answered with EBADF; in the simulated network it waits");
}

TEST(Retrace, FindsAChildThatIsAnotherProcess) {
  EXPECT_EQ(outcome(stream(), opening().on(0, Accept{listener}, client).forks(0, 0)),
            "0.4 Fork was answered with a child; process 0 was there before");
}

TEST(Retrace, FindsAmountsThatNoNetworkCarries) {
  EXPECT_EQ(outcome(stream(), having_read("abc").on(1, write("abc"), 4)),
            "1.3 Send 1 of 3 bytes was answered with 4 bytes; in the simulated network it is answered with 3 bytes");
  EXPECT_EQ(outcome(stream(), having_read("abc").on(1, write("abc"), 0)),
            "1.3 Send 1 of 3 bytes was answered with 0 bytes; in the simulated network it is answered with 1 byte");
  EXPECT_EQ(outcome(all(OpenSocket{{"::1", 1}}), History().on(0, OpenSocket{{"::1", 1}}, Socket{1})),
            "0.0 OpenSocket was answered with socket 1; in the simulated network it is answered with socket 0");
}

TEST(Retrace, FindsConversationsThatNoPeerLeads) {
  const Server reads = taking(read(), read());
  const auto read_after = [&](const Result<Bytes>& first, const Result<Bytes>& second) {
    const std::string found = outcome(reads, taken().on(0, read(), first).on(0, read(), second));
    return found == "found" ? found : found.substr(found.find(';') + 2);
  };
  EXPECT_EQ(read_after(bytes("abc"), bytes("d")), "found");
  EXPECT_EQ(read_after(bytes(""), bytes("d")), "in the simulated network it is answered with the end");
  EXPECT_EQ(read_after(bytes(""), failed(Errno::CONNRESET)), "in the simulated network it is answered with the end");
  EXPECT_EQ(read_after(failed(Errno::CONNRESET), bytes("")), "found");
  EXPECT_EQ(read_after(failed(Errno::CONNRESET), failed(Errno::CONNRESET)),
            "in the simulated network it is answered with the end");
  EXPECT_EQ(read_after(failed(Errno::CONNRESET), bytes("d")), "in the simulated network it is answered with 1 byte");
  const Recv two{client, 2, until};
  EXPECT_EQ(outcome(taking(two), taken().on(0, two, bytes("abc"))),
            "0.3 Recv 1 was answered with 3 bytes; in the simulated network it is answered with 2 bytes");
}

TEST(Retrace, FindsSendsAfterWhichNothingGoes) {
  const Server sends = taking(write("a"), write("b"));
  const auto sent_after = [&](const Result<std::size_t>& first, const Result<std::size_t>& second) {
    const std::string found = outcome(sends, taken().on(0, write("a"), first).on(0, write("b"), second));
    return found == "found" ? found : found.substr(found.find(';') + 2);
  };
  EXPECT_EQ(sent_after(failed(Errno::CONNRESET), failed(Errno::PIPE)), "found");
  EXPECT_EQ(sent_after(failed(Errno::PIPE), 1U), "in the simulated network it is answered with EPIPE");
  EXPECT_EQ(sent_after(failed(Errno::PIPE), failed(Errno::CONNRESET)),
            "in the simulated network it is answered with EPIPE");
}

TEST(Retrace, FindsWaitsThatEndWithoutReason) {
  const Recv endless{client, 9, {forever_ms, forever_ms}};
  for (const Errno error : {Errno::EXPIRED, Errno::STOPPING}) {
    EXPECT_EQ(outcome(taking(endless), taken().on(0, endless, failed(error))),
              "0.3 Recv 1 was answered with " + name_of(error) + "; in the simulated network it waits");
  }
  EXPECT_EQ(outcome(taking(write("a")), taken().on(0, write("a"), failed(Errno::EXPIRED))),
            "0.3 Send 1 of 1 byte was answered with Expired; in the simulated network it is answered with 1 byte");
  const Server accepts = taking(Accept{listener}, Accept{listener});
  EXPECT_EQ(
      outcome(accepts, taken().on(0, Accept{listener}, failed(Errno::STOPPING)).on(0, Accept{listener}, Socket{2})),
      "0.4 Accept 0 was answered with socket 2; in the simulated network it is answered with Stopping");
}

TEST(Retrace, BetweenTwoSocketsOfAServerNoByteComesFromNowhere) {
  const Endpoint at{"::1", 1};
  const Socket accepted{2};
  const Recv reads{accepted, 9, until};
  const Server server =
      all(OpenSocket{at}, Listen{listener, 1}, Connect{at, until}, Accept{listener}, write("abc"), reads);
  const auto reading = [&](std::string_view text) {
    return outcome(server, History()
                               .on(0, OpenSocket{at}, listener)
                               .on(0, Listen{listener, 1}, at)
                               .on(0, Connect{at, until}, client)
                               .on(0, Accept{listener}, accepted)
                               .on(0, write("abc"), 3)
                               .on(0, reads, bytes(text))
                               .ends(0));
  };
  EXPECT_EQ(reading("abc"), "found");
  EXPECT_EQ(reading("ab"), "found");
  EXPECT_EQ(reading("abcd"),
            "0.5 Recv 2 was answered with 4 bytes; in the simulated network it is answered with 3 bytes");
}

TEST(Retrace, WhoseConnectionIsAcceptedMayShowLater) {
  const Endpoint at{"::1", 1};
  const Server server = then(OpenSocket{at}, [=] {
    return then(Listen{listener, 1}, [=] {
      return fork_into([] { return all(Accept{listener}, write("abc"), Close{client}); },
                       [=] { return all(Connect{at, until}, read()); });
    });
  });
  EXPECT_EQ(outcome(server, History()
                                .on(0, OpenSocket{at}, listener)
                                .on(0, Listen{listener, 1}, at)
                                .forks(0, 1)
                                .on(0, Accept{listener}, client)
                                .on(0, write("abc"), 3)
                                .on(0, Close{client}, done())
                                .ends(0)
                                .on(1, Connect{at, until}, client)
                                .on(1, read(), bytes("abc"))
                                .ends(1)),
            "found");
}

}  // namespace
}  // namespace antiphon::verify
