#include "tests/interpreters/parity_plays.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "core/programs/seed.hpp"
#include "core/rewrite.hpp"
#include "verify/judge.hpp"

/// Whole servers do the same on every interpreter, and keep their contracts.

namespace antiphon::parity {
namespace {

class ParityOfServers : public Parity {};

INSTANTIATE_TEST_SUITE_P(On, ParityOfServers, on_all_interpreters(), name_of_interpreter);

/// Long enough for a slow machine, and over soon after a stop.
constexpr SessionOptions session{.until = {.wait_ms = 20'000, .drain_ms = 5'000}};

MakeServer named(std::string_view name, const SessionOptions& options = session) {
  return [=](const Endpoint& at) { return *program_named(name, {.server = {.at = at}, .session = options}); };
}

/// The seed's address is fixed; here it serves where it is told to.
MakeServer the_seed() {
  return [](const Endpoint& at) {
    return replace<OpenSocket>(seed::echo_server(), [=](const OpenSocket&) { return OpenSocket{at}; });
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

TEST_P(ParityOfServers, StreamEchoesAndItsContractsHold) {
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

TEST_P(ParityOfServers, OnceAnswersTheFirstMessageAndItsContractsHold) {
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

TEST_P(ParityOfServers, TheSeedIsRefutedByTheSameClauses) {
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

TEST_P(ParityOfServers, AThousandBytesOneByOne) {
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

TEST_P(ParityOfServers, MuchFromManyAtOnce) {
  const std::uint32_t much = 1U << 20U;
  const auto run = play({.server = named("stream"),
                         .clients = std::vector<Script>(4, {connect, ClientSends{much}, Await{much}, EndSide{}}),
                         .stop_at_rest = true});
  EXPECT_EQ(verdict(run), "");
  expect_echoes(run);
}

TEST_P(ParityOfServers, ManyChildrenAtOnce) {
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

TEST_P(ParityOfServers, AStopDrainsWhatWasAccepted) {
  const auto run = play({.server = named("stream"),
                         .clients = {{connect, ClientSends{3}, Await{3}, pause(4), ClientSends{4}, EndSide{}},
                                     {pause(4), connect, ClientSends{3}, EndSide{}}},
                         .stop_after_ms = 2 * settled_ms});
  EXPECT_EQ(verdict(run), "");
  EXPECT_EQ(run.client(0), "sent 7; received 7; end");
  EXPECT_EQ(run.client(1), "refused");
}

TEST_P(ParityOfServers, ClientsThatWaitMeetAResetWhenTheListenerCloses) {
  const auto run = play({.server = listening([] { return all(settle(2), Close{listener}, settle(4)); }),
                         .clients = {{connect, ClientSends{3}}, {connect}, {pause(4), connect}}});
  EXPECT_EQ(run.client(0), "sent 3; reset");
  EXPECT_EQ(run.client(1), "reset");
  EXPECT_EQ(run.client(2), "refused");
}

TEST_P(ParityOfServers, AListenerClosesWithItsLastHolder) {
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

TEST_P(ParityOfServers, ClientsAboveTheLimitAreRefused) {
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

TEST_P(ParityOfServers, ClientsAboveTheLimitOfTheirAddressAreRefused) {
  const auto limited = [](const Endpoint& at) {
    return *program_named("stream", {.server = {.at = at, .max_per_address = 1}, .session = session});
  };
  const Script once{connect, ClientSends{2}, EndSide{}};
  const auto after = [&](std::uint32_t pauses) {
    Script script = once;
    script.insert(script.begin(), pause(pauses));
    return script;
  };
  // The first, third and fifth are at one address, the others at another.
  const auto run = play({.server = limited,
                         .clients = {{connect, ClientSends{3}, Await{3}, pause(8), EndSide{}},
                                     after(2),
                                     {pause(4), connect},
                                     after(6),
                                     after(12)},
                         .addresses = 2,
                         .stop_at_rest = true});
  EXPECT_EQ(run.client(0), "sent 3; received 3; end");
  EXPECT_EQ(run.client(1), "sent 2; received 2; end");
  EXPECT_EQ(run.client(2), "end") << "its address is full";
  EXPECT_EQ(run.client(3), "sent 2; received 2; end") << "another address is not";
  EXPECT_EQ(run.client(4), "sent 2; received 2; end") << "the place was given back";
  EXPECT_EQ(run.process(0),
            "DiscardChildren; OpenSocket 0; Listen; Accept 1; Fork parent; Close; Accept 1; Fork parent; Close; "
            "Accept 1; Fork EAGAIN; Close; Accept 1; Fork parent; Close; Accept 1; Fork parent; Close; "
            "Accept Stopping; Close; ends");
}

}  // namespace
}  // namespace antiphon::parity
