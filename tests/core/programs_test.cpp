#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/handler.hpp"
#include "core/programs/catalogue.hpp"
#include "core/programs/seed.hpp"
#include "tests/core/script.hpp"
#include "tests/rapidcheck.hpp"

namespace antiphon {
namespace {

// -- Words for the scripts --------------------------------------------------------------------------------------

constexpr Socket listener{3};
constexpr Socket client{4};
constexpr Deadline until{.wait_ms = 60'000, .drain_ms = 5'000};
constexpr Deadline lingering{.wait_ms = 2'000, .drain_ms = 5'000};
constexpr Deadline at_once{.wait_ms = 0, .drain_ms = 5'000};
const Endpoint here{"127.0.0.1", 8888};

Bytes bytes(std::string_view text) { return Bytes::copy_of(text); }
Result<Unit> done() { return Unit{}; }

AnyExchange<Net> receives(std::string_view text, Deadline deadline = until) {
  return on(Recv{client, 16384, deadline}, bytes(text));
}
AnyExchange<Net> receives(Errno error, Deadline deadline = until) {
  return on(Recv{client, 16384, deadline}, failed(error));
}
AnyExchange<Net> sends(std::string_view text, std::size_t taken, Deadline deadline = until) {
  return on(Send{client, bytes(text), deadline}, taken);
}
AnyExchange<Net> sends(std::string_view text, Errno error, Deadline deadline = until) {
  return on(Send{client, bytes(text), deadline}, failed(error));
}
AnyExchange<Net> closes(Socket socket) { return on(Close{socket}, done()); }
AnyExchange<Net> rests(std::int64_t wait_ms) { return on(Sleep{wait_ms}, done()); }
AnyExchange<Net> accepts(Result<Socket> answer) { return on(Accept{listener}, answer); }
AnyExchange<Net> forks(Forked who) { return on(Fork{}, who); }

/// From the start to the first Accept.
Script opening() {
  return {on(DiscardChildren{}, done()), on(OpenSocket{here}, listener), on(Listen{listener, 4096}, here)};
}

/// A client is accepted, and this is its process from here on.
Script in_the_child() { return opening() + Script{accepts(client), forks(Child{}), closes(listener)}; }

Server server(std::string_view name) { return *program_named(name); }

/// With a progress limit of half a minute.
Server in_time(std::string_view name) {
  ProgramOptions options;
  options.session.progress_ms = 30'000;
  return *program_named(name, options);
}
AnyExchange<Net> sets_alarm(std::int64_t wait_ms) { return on(Alarm{wait_ms}, done()); }

// -- The generic server -----------------------------------------------------------------------------------------

TEST(TcpServer, ListensAndAccepts) { EXPECT_EQ(play(server("stream"), opening()), "at Accept{{3}}"); }

TEST(TcpServer, ListensWhereItIsTold) {
  const ProgramOptions options{.server = {.at = {"::1", 0}, .backlog = 7}, .session = {}};
  EXPECT_EQ(
      play(*program_named("stream", options), {on(DiscardChildren{}, done()), on(OpenSocket{{"::1", 0}}, listener),
                                               on(Listen{listener, 7}, Endpoint{"::1", 4242})}),
      "at Accept{{3}}");
}

TEST(TcpServer, EndsWithTheErrorIfItCannotListen) {
  EXPECT_EQ(play(server("stream"), {on(DiscardChildren{}, failed(Errno::INVAL))}), "EINVAL");
  EXPECT_EQ(play(server("stream"), {on(DiscardChildren{}, done()), on(OpenSocket{here}, failed(Errno::ACCES))}),
            "EACCES");
  EXPECT_EQ(play(server("stream"), {on(DiscardChildren{}, done()), on(OpenSocket{here}, listener),
                                    on(Listen{listener, 4096}, failed(Errno::ADDRINUSE)), closes(listener)}),
            "EADDRINUSE");
}

TEST(TcpServer, AnAddressThatIsStillHeldIsTriedAnew) {
  const AnyExchange<Net> held = on(OpenSocket{here}, failed(Errno::ADDRINUSE));
  Script tries{on(DiscardChildren{}, done()), held};
  for (std::int64_t wait_ms = 5; wait_ms <= 640; wait_ms *= 2) tries = tries + Script{rests(wait_ms), held};
  EXPECT_EQ(play(server("stream"), tries), "EADDRINUSE");
  tries.back() = on(OpenSocket{here}, listener);
  EXPECT_EQ(play(server("stream"), tries + Script{on(Listen{listener, 4096}, here)}), "at Accept{{3}}");
}

TEST(TcpServer, TheParentClosesTheClientAndGoesOn) {
  const Script one_client{accepts(client), forks(Parent{Pid{100}}), closes(client)};
  EXPECT_EQ(play(server("stream"), opening() + one_client + one_client), "at Accept{{3}}");
}

TEST(TcpServer, TheChildClosesTheListenerFirst) {
  EXPECT_EQ(play(server("stream"), in_the_child()), "at Recv{{4}, 16384, {60000, 5000}}");
}

TEST(TcpServer, AClosingThatFailsEndsNothing) {
  EXPECT_EQ(play(server("stream"),
                 opening() + Script{accepts(client), forks(Parent{Pid{100}}), on(Close{client}, failed(Errno::IO))}),
            "at Accept{{3}}");
  EXPECT_EQ(play(server("stream"),
                 opening() + Script{accepts(client), forks(Child{}), on(Close{listener}, failed(Errno::INTR))}),
            "at Recv{{4}, 16384, {60000, 5000}}");
}

TEST(TcpServer, RefusesAClientForWhomThereIsNoProcess) {
  for (const Errno error : {Errno::AGAIN, Errno::NOMEM}) {
    EXPECT_EQ(play(server("stream"), opening() + Script{accepts(client), on(Fork{}, failed(error)), closes(client)}),
              "at Accept{{3}}");
  }
}

TEST(TcpServer, ForksNoMoreThanItIsTold) {
  const ProgramOptions options{.server = {.max_connections = 8}, .session = {}};
  EXPECT_EQ(play(*program_named("stream", options), opening() + Script{accepts(client)}),
            "at " + text_of_value(Fork{8}));
  const ProgramOptions by_address{.server = {.max_connections = 8, .max_per_address = 2}, .session = {}};
  EXPECT_EQ(play(*program_named("stream", by_address), opening() + Script{accepts(client)}),
            "at " + text_of_value(Fork{8, 2, client}));
}

TEST(TcpServer, GoesOnAtOnceAfterAnErrorOfOneClient) {
  for (const Errno error : {Errno::INTR, Errno::CONNABORTED, Errno::PROTO, Errno::PERM, Errno::NETDOWN,
                            Errno::NETUNREACH, Errno::HOSTUNREACH, Errno::TIMEDOUT}) {
    EXPECT_EQ(play(server("stream"), opening() + Script{accepts(failed(error))}), "at Accept{{3}}") << name_of(error);
  }
}

TEST(TcpServer, RestsLongerEachTimeSomethingIsWanting) {
  for (const Errno error : {Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::AGAIN}) {
    Script script = opening();
    for (const std::int64_t wait_ms : {5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000}) {
      script = script + Script{accepts(failed(error)), rests(wait_ms)};
    }
    EXPECT_EQ(play(server("stream"), script), "at Accept{{3}}") << name_of(error);
  }
}

TEST(TcpServer, AClientEndsTheRests) {
  const Script wanting{accepts(failed(Errno::MFILE)), rests(5), accepts(failed(Errno::MFILE)), rests(10)};
  const Script served{accepts(client), forks(Parent{Pid{100}}), closes(client)};
  EXPECT_EQ(play(server("stream"), opening() + wanting + served + wanting), "at Accept{{3}}");
}

TEST(TcpServer, StopsByClosingTheListener) {
  const Script stopped{accepts(failed(Errno::STOPPING)), closes(listener)};
  EXPECT_EQ(play(server("stream"), opening() + stopped), "success");
  const Script asleep{accepts(failed(Errno::MFILE)), on(Sleep{5}, failed(Errno::STOPPING))};
  EXPECT_EQ(play(server("stream"), opening() + asleep + stopped), "success");
}

TEST(TcpServer, RunsAnySession) {
  const auto farewell = [](Socket socket) -> Program<Sockets, Unit> {
    return Send{socket, bytes("bye"), {}} >> [=](const Result<std::size_t>&) { return ignore(Close{socket}); };
  };
  EXPECT_EQ(
      play(tcp_server({}, farewell), in_the_child() + Script{on(Send{client, bytes("bye"), {}}, 3U), closes(client)}),
      "success");
}

// -- The streaming echo -----------------------------------------------------------------------------------------

TEST(Stream, AConversationFromStartToEnd) {
  EXPECT_EQ(play(server("stream"),
                 {
                     on(DiscardChildren{}, done()),
                     on(OpenSocket{here}, listener),
                     on(Listen{listener, 4096}, here),
                     on(Accept{listener}, client),
                     on(Fork{}, Child{}),
                     on(Close{listener}, done()),
                     on(Recv{client, 16384, until}, bytes("hello\n")),
                     on(Send{client, bytes("hello\n"), until}, 2U),
                     on(Send{client, bytes("llo\n"), until}, 4U),
                     on(Recv{client, 16384, until}, bytes("")),
                     on(Close{client}, done()),
                 }),
            "success");
}

TEST(Stream, AnswersUntilTheClientEnds) {
  EXPECT_EQ(play(server("stream"), in_the_child() + Script{receives("a"), sends("a", 1), receives("bc"), sends("bc", 2),
                                                           receives(""), closes(client)}),
            "success");
}

TEST(Stream, TriesAgainAfterAnInterruption) {
  EXPECT_EQ(
      play(server("stream"), in_the_child() + Script{receives(Errno::INTR), receives("abc"), sends("abc", Errno::INTR),
                                                     sends("abc", 1), sends("bc", Errno::INTR), sends("bc", 2)}),
      "at Recv{{4}, 16384, {60000, 5000}}");
}

/// The same failing instruction with the doubling rests after it, until the program gives up.
Script wanting_for_ever(const AnyExchange<Net>& fails) {
  Script script;
  for (std::int64_t wait_ms = 1; wait_ms <= 1024; wait_ms *= 2) script = script + Script{fails, rests(wait_ms)};
  return script + Script{fails};
}

TEST(Stream, RestsWhenSomethingIsWantingAndGivesUpInTheEnd) {
  for (const Errno error : {Errno::NOMEM, Errno::NOBUFS, Errno::AGAIN}) {
    EXPECT_EQ(play(server("stream"), in_the_child() + wanting_for_ever(receives(error)) + Script{closes(client)}),
              "success");
    EXPECT_EQ(play(server("stream"), in_the_child() + Script{receives("abc"), sends("abc", 1)} +
                                         wanting_for_ever(sends("bc", error)) + Script{closes(client)}),
              "success");
  }
}

TEST(Stream, ASuccessEndsTheRests) {
  const Script wanting{receives(Errno::NOMEM), rests(1), receives(Errno::NOMEM), rests(2)};
  const Script a_byte{receives("abc"), sends("abc", Errno::NOMEM), rests(1),
                      sends("abc", 1), sends("bc", Errno::NOMEM),  rests(1),
                      sends("bc", 2)};
  EXPECT_EQ(play(server("stream"), in_the_child() + wanting + a_byte + wanting + a_byte),
            "at Recv{{4}, 16384, {60000, 5000}}");
}

TEST(Stream, AnyOtherErrorEndsTheSession) {
  for (const Errno error :
       {Errno::CONNRESET, Errno::TIMEDOUT, Errno::PIPE, Errno::EXPIRED, Errno::STOPPING, Errno{4321}}) {
    EXPECT_EQ(play(server("stream"), in_the_child() + Script{receives(error), closes(client)}), "success");
    EXPECT_EQ(play(server("stream"),
                   in_the_child() + Script{receives("ab"), sends("ab", 1), sends("b", error), closes(client)}),
              "success");
  }
}

TEST(Stream, IsDataIndependent) {
  Buffer* const buffer = Buffer::make(3);
  buffer->marked = true;
  std::ranges::fill_n(buffer->data, 3, std::byte{'x'});
  Process<Net, Unit> process(stream_session({})(client));
  const std::uint64_t before = looks();
  process.answer<Recv>(Bytes(buffer, 3));
  process.answer<Send>(1U);
  process.answer<Send>(2U);
  process.answer<Recv>(Bytes());
  process.answer<Close>(done());
  EXPECT_TRUE(process.finished());
  EXPECT_EQ(looks(), before);
}

TEST(Stream, WithAProgressLimitWhatHasToWaitIsSentUnderAnAlarm) {
  EXPECT_EQ(play(in_time("stream"),
                 in_the_child() + Script{receives("hello"), sends("hello", 2, at_once), sets_alarm(30'000),
                                         sends("llo", 1), sends("lo", 2), sets_alarm(forever_ms), receives("a"),
                                         sends("a", Errno::EXPIRED, at_once), sets_alarm(30'000),
                                         sends("a", Errno::EXPIRED), sets_alarm(forever_ms), closes(client)}),
            "success");
}

TEST(Stream, WithAProgressLimitWhatGoesAtOnceNeedsNoAlarm) {
  EXPECT_EQ(
      play(in_time("stream"), in_the_child() + Script{receives("hello"), sends("hello", 5, at_once), receives("a"),
                                                      sends("a", 1, at_once), receives(""), closes(client)}),
      "success");
}

TEST(Stream, WithAProgressLimitAFailureIsMetAsWithout) {
  for (const Errno error : {Errno::INTR, Errno::NOBUFS}) {
    EXPECT_EQ(play(in_time("stream"),
                   in_the_child() + Script{receives("a"), sends("a", error, at_once), sets_alarm(30'000), sends("a", 1),
                                           sets_alarm(forever_ms), receives(""), closes(client)}),
              "success");
  }
  for (const Errno error : {Errno::CONNRESET, Errno::STOPPING}) {
    EXPECT_EQ(
        play(in_time("stream"), in_the_child() + Script{receives("a"), sends("a", error, at_once), closes(client)}),
        "success");
  }
}

// -- One message ------------------------------------------------------------------------------------------------

TEST(Once, AnswersOneMessageAndWaitsForTheEnd) {
  EXPECT_EQ(play(server("once"),
                 in_the_child() + Script{receives("hello"), sends("hello", 3), sends("lo", 2),
                                         on(ShutdownSend{client}, done()), receives("more", lingering),
                                         receives(Errno::INTR, lingering), receives("", lingering), closes(client)}),
            "success");
}

TEST(Once, WaitsNoLongerThanTheDeadline) {
  EXPECT_EQ(play(server("once"), in_the_child() + Script{receives("hello"), sends("hello", 5),
                                                         on(ShutdownSend{client}, failed(Errno::NOTCONN)),
                                                         receives(Errno::EXPIRED, lingering), closes(client)}),
            "success");
}

TEST(Once, WithAProgressLimitWhatHasToWaitIsSentUnderAnAlarm) {
  EXPECT_EQ(play(in_time("once"),
                 in_the_child() + Script{receives("hello"), sends("hello", 3, at_once), sets_alarm(30'000),
                                         sends("lo", 2), sets_alarm(forever_ms), on(ShutdownSend{client}, done()),
                                         receives("", lingering), closes(client)}),
            "success");
}

TEST(Once, DiscardsWhateverComesBeforeTheEnd) {
  Script script = in_the_child() + Script{receives("hello"), sends("hello", 5), on(ShutdownSend{client}, done())};
  for (int n = 0; n < 1000; ++n) script.push_back(receives("more", lingering));
  EXPECT_EQ(play(server("once"), script + Script{receives("", lingering), closes(client)}), "success");
}

TEST(Once, HangsUpWhenThereIsNothingToAnswer) {
  EXPECT_EQ(play(server("once"), in_the_child() + Script{receives(""), closes(client)}), "success");
  EXPECT_EQ(play(server("once"), in_the_child() + Script{receives(Errno::CONNRESET), closes(client)}), "success");
  EXPECT_EQ(play(server("once"), in_the_child() + Script{receives("a"), sends("a", Errno::PIPE), closes(client)}),
            "success");
}

// -- The original -----------------------------------------------------------------------------------------------

Script seed_opening() { return {on(OpenSocket{here}, listener), on(Listen{listener, 1}, here)}; }
Script seed_child() { return seed_opening() + Script{accepts(client), forks(Child{})}; }

const Recv seed_recv{client, 1024, {}};

AnyExchange<Net> seed_sends(std::string_view text, Result<std::size_t> answer) {
  return on(Send{client, bytes(text), {}}, answer);
}

TEST(Seed, IsTheOriginalInstructionByInstruction) {
  EXPECT_EQ(play(seed::echo_server(),
                 seed_child() + Script{on(seed_recv, bytes("hello")), seed_sends("hello", 5U), closes(client)}),
            "success");
  const Script parent{accepts(client), forks(Parent{Pid{100}}), closes(client)};
  EXPECT_EQ(play(seed::echo_server(), seed_opening() + parent + parent), "at Accept{{3}}");
}

TEST(Seed, DoesNotAskHowMuchWasSent) {
  EXPECT_EQ(play(seed::echo_server(),
                 seed_child() + Script{on(seed_recv, bytes("hello")), seed_sends("hello", 1U), closes(client)}),
            "success");
}

TEST(Seed, EchoesTheEndOfFileAsNothing) {
  EXPECT_EQ(
      play(seed::echo_server(), seed_child() + Script{on(seed_recv, bytes("")), seed_sends("", 0U), closes(client)}),
      "success");
}

TEST(Seed, EveryErrorEndsTheProcessThatMeetsIt) {
  const auto fails = failed(Errno::INTR);
  const Script deaths[] = {
      {on(OpenSocket{here}, fails)},
      {on(OpenSocket{here}, listener), on(Listen{listener, 1}, fails)},
      seed_opening() + Script{accepts(fails)},
      seed_opening() + Script{accepts(client), on(Fork{}, fails)},
      seed_opening() + Script{accepts(client), forks(Parent{Pid{100}}), on(Close{client}, fails)},
      seed_child() + Script{on(seed_recv, fails)},
      seed_child() + Script{on(seed_recv, bytes("a")), seed_sends("a", fails)},
      seed_child() + Script{on(seed_recv, bytes("a")), seed_sends("a", 1U), on(Close{client}, fails)},
  };
  for (const Script& death : deaths) EXPECT_EQ(play(seed::echo_server(), death), "EINTR");
}

// -- The catalogue ----------------------------------------------------------------------------------------------

TEST(Catalogue, HasEveryProgramItNames) {
  for (const std::string_view name : program_names) EXPECT_TRUE(program_named(name)) << name;
}

TEST(Catalogue, HasNoOther) {
  for (const std::string_view name : {"", "Stream", "stream ", "echo"}) EXPECT_FALSE(program_named(name)) << name;
}

// -- Whatever arrives is sent back ------------------------------------------------------------------------------

/// A client's side of one connection. How much each Send takes, and which instructions fail for a while, is
/// generated.
struct Client {
  std::vector<std::string> chunks;
  std::vector<std::uint8_t> hiccups;
  std::string sent_back = {};
  std::size_t received = 0;
  std::size_t steps = 0;
  bool closed = false;

  /// What the next instruction fails with, if it does. Never so often that a program would give up.
  std::optional<Errno> hiccup() {
    if (hiccups.empty() || ++steps % 3 != 0) return std::nullopt;
    switch (hiccups[steps % hiccups.size()] % 8) {
      case 0:
        return Errno::INTR;
      case 1:
        return Errno::NOMEM;
      default:
        return std::nullopt;
    }
  }

  Result<Bytes> operator()(const Recv&) {
    if (const auto error = hiccup()) return failed(*error);
    return received == chunks.size() ? Bytes() : Bytes::copy_of(chunks[received++]);
  }
  Result<std::size_t> operator()(const Send& send) {
    if (const auto error = hiccup()) return failed(*error);
    const std::size_t limit = hiccups.empty() ? send.bytes.size() : 1 + hiccups[steps % hiccups.size()];
    const std::size_t taken = std::min(limit, send.bytes.size());
    sent_back += send.bytes.take(taken).content();
    return taken;
  }
  Result<Unit> operator()(const Close&) {
    closed = true;
    return Unit{};
  }
  template <Instruction I>
  typename I::Response operator()(const I&) {
    return {};
  }
};

std::string joined(const std::vector<std::string>& chunks) {
  std::string whole;
  for (const std::string& chunk : chunks) whole += chunk;
  return whole;
}

/// No chunk is empty: that would be the client's end.
rc::Gen<std::vector<std::string>> any_chunks() {
  return rc::gen::container<std::vector<std::string>>(rc::gen::nonEmpty(rc::gen::string<std::string>()));
}

TEST(Echo, StreamSendsBackWhatItReceived) {
  EXPECT_TRUE(holds([](const std::vector<std::uint8_t>& hiccups) {
    Client peer{*any_chunks(), hiccups};
    run(stream_session({})(client), peer);
    RC_ASSERT(peer.sent_back == joined(peer.chunks));
    RC_ASSERT(peer.closed);
  }));
}

TEST(Echo, OnceSendsBackWhatItReceivedFirst) {
  EXPECT_TRUE(holds([](const std::vector<std::uint8_t>& hiccups) {
    Client peer{*any_chunks(), hiccups};
    run(once_session({})(client), peer);
    RC_ASSERT(peer.sent_back == (peer.chunks.empty() ? "" : peer.chunks.front()));
    RC_ASSERT(peer.closed);
  }));
}

TEST(EchoCanary, TheOriginalLosesBytes) {
  EXPECT_TRUE(refuted([](const std::vector<std::uint8_t>& hiccups) {
    Client peer{*any_chunks(), hiccups};
    static_cast<void>(run(seed::echo_handler(client), peer));
    RC_ASSERT(peer.sent_back == joined(peer.chunks));
  }));
}

TEST(EchoCanary, ASessionThatForgetsShortSendsIsFound) {
  const auto forgetful = [](Socket socket) -> Program<Net, Unit> {
    using Turn = Step<Unit, Unit>;
    return iter(Unit{},
                [=](const Unit&) {
                  return echo::receive(socket, {}) >> [=](const Result<Bytes>& message) -> Program<Net, Turn> {
                    if (!message || message->empty()) return ret(Turn{Break{Unit{}}});
                    return Send{socket, *message, {}} >>
                           [](const Result<std::size_t>&) { return ret(Turn{Continue{Unit{}}}); };
                  };
                }) >>
           [=](const Unit&) { return echo::hang_up(socket); };
  };
  EXPECT_TRUE(refuted([=](const std::vector<std::uint8_t>& hiccups) {
    Client peer{*any_chunks(), hiccups};
    run(forgetful(client), peer);
    RC_ASSERT(peer.sent_back == joined(peer.chunks));
  }));
}

}  // namespace
}  // namespace antiphon
