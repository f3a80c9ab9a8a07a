#include "verify/probe.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "core/rewrite.hpp"
#include "tests/verify/client_views.hpp"
#include "tests/verify/simulated_clients.hpp"
#include "verify/planted.hpp"
#include "verify/transcript.hpp"

namespace antiphon::verify {
namespace {

/// Ours, without an idle limit: time costs nothing here, and so it would pass.
ProgramOptions patient() {
  ProgramOptions options;
  options.session.until.wait_ms = forever_ms;
  return options;
}
Server stream() { return *program_named("stream", patient()); }
Server once() { return *program_named("once", patient()); }

ProbeOptions options(Answers answers = Answers::everything) {
  ProbeOptions options;
  options.expected.answers = answers;
  options.expected.patience_ms = 1'000;
  options.timeout_ms = 600'000;
  return options;
}

ProbeResult probed(const Server& server, Answers answers = Answers::everything) {
  return probe(simulated_clients(server), options(answers));
}

std::vector<std::string> named(const ProbeResult& result, Ruling ruling) {
  std::vector<std::string> names;
  for (const PromiseResult& promise : result.promises) {
    if (promise.ruling == ruling) names.emplace_back(promise.name);
  }
  return names;
}
using Names = std::vector<std::string>;

const PromiseResult& promise(const ProbeResult& result, std::string_view name) {
  return *std::ranges::find(result.promises, name, &PromiseResult::name);
}

/// What was wrong, and the smallest script with what it met, line by line.
std::string found(const ProbeResult& result, std::string_view name) {
  const PromiseResult& broken = promise(result, name);
  if (!broken.finding) return "nothing: " + broken.why;
  std::string text = sentence(broken.finding->fault);
  for (const std::string& line :
       transcript({"host", 8888}, broken.finding->visit, broken.finding->run, broken.finding->fault)) {
    text += '\n' + line;
  }
  return text;
}

TEST(Probe, OurServersHold) {
  const ProbeResult streamed = probed(stream());
  EXPECT_EQ(named(streamed, Ruling::holds).size(), 14U);
  EXPECT_EQ(streamed.ruling, Ruling::holds);
  EXPECT_TRUE(streamed.held_idle_client);
  const ProbeResult said_once = probed(once(), Answers::first_message);
  EXPECT_EQ(named(said_once, Ruling::holds).size(), 10U);
  EXPECT_EQ(said_once.ruling, Ruling::holds);
}

TEST(Probe, OurServersHoldInWhateverOrder) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    EXPECT_EQ(probe(simulated_clients(stream(), seed), options()).ruling, Ruling::holds) << seed;
  }
}

TEST(Probe, TheOriginalsDefectsAreFoundWithTheirSmallestScripts) {
  const ProbeResult result = probed(*program_named("seed"));
  EXPECT_EQ(result.ruling, Ruling::violated);
  EXPECT_EQ(named(result, Ruling::holds),
            (Names{"echo", "end", "together", "burst", "idle", "reset", "lasting", "unread"}));
  EXPECT_EQ(found(result, "messages"),
            "ends the connection where \"v\" is owed\n"
            "$ nc host 8888\n"
            "> \"a\"\n"
            "< \"a\"\n"
            "> \"v\"\n"
            "< end             where \"v\" is owed");
  EXPECT_EQ(found(result, "segments"),
            "ends the connection where \"v\" is owed\n"
            "$ nc host 8888\n"
            "> \"a\"\n"
            "… 30 ms\n"
            "> \"v\"\n"
            "< \"a\"\n"
            "< end             where \"v\" is owed");
  EXPECT_EQ(promise(result, "long").finding->visit.clients,
            (std::vector<Script>{{script::Connect{}, script::Send{1025}}}));
  EXPECT_EQ(promise(result, "conversations").ruling, Ruling::violated);
}

Program<Net, Result<Bytes>> never_see_an_end(const Recv& recv) {
  return recv >> [](const Result<Bytes>& bytes) -> Program<Net, Result<Bytes>> {
    if (!bytes || !bytes->empty()) return ret(bytes);
    return Sleep{forever_ms} >> [=](const Result<Unit>&) { return ret(bytes); };
  };
}

Program<Net, Result<std::size_t>> sleep_for_ever(const Send& send) {
  return Sleep{forever_ms} >> [=](const Result<Unit>&) { return ret(Result<std::size_t>(send.bytes.size())); };
}

TEST(Probe, PlantedDefectsOfServersAreFound) {
  const auto with = [](std::string_view defect) {
    const std::vector<Planted> all = planted_violations(patient());
    return probed(std::ranges::find(all, defect, &Planted::defect)->server,
                  std::ranges::find(all, defect, &Planted::defect)->answers);
  };
  EXPECT_EQ(found(with("every message is sent twice"), "echo"),
            "repeats 1 byte at byte 1: sends \"a\" where nothing is owed\n"
            "$ nc host 8888\n"
            "> \"a\"\n"
            "< \"aa\"");
  EXPECT_EQ(found(with("the last byte of a message is lost"), "echo"),
            "is silent where \"v\" is owed\n"
            "$ nc host 8888\n"
            "> \"av\"\n"
            "< \"a\"\n"
            "< silence         where \"v\" is owed");
  EXPECT_EQ(found(with("messages go back in reverse"), "echo"),
            "alters what it received at byte 0: sends \"va\" where \"av\" is owed\n"
            "$ nc host 8888\n"
            "> \"av\"\n"
            "< \"va\"");
  EXPECT_EQ(found(probed(replace<Recv>(stream(), never_see_an_end)), "end"),
            "is silent where the end is owed\n"
            "$ nc host 8888\n"
            "> end\n"
            "< silence         where the end is owed");
  EXPECT_EQ(found(probed(replace<Send>(stream(), sleep_for_ever)), "echo"),
            "is silent where \"a\" is owed\n"
            "$ nc host 8888\n"
            "> \"a\"\n"
            "< silence         where \"a\" is owed");
  EXPECT_EQ(promise(with("the session ends after one message"), "messages").ruling, Ruling::violated);
  EXPECT_EQ(found(with("the answer is followed by nothing"), "end"),
            "is silent where the end is owed\n"
            "$ nc host 8888\n"
            "> \"a\"\n"
            "< \"a\"\n"
            "< silence         where the end is owed");
}

// -- Servers with a defect that takes several clients ------------------------------------------------------------

/// How a server goes on that does one thing after the other in one process: the next client, or its end.
using Goes = Step<std::uint32_t, Result<Unit>>;
constexpr std::uint32_t as_many_as_come = ~0U;

Program<Net, Unit> echo_to(Socket client) { return stream_session(patient().session)(client); }

/// Serves `most` clients, one after the other, each by `session`, in its own process or a new one.
template <class Session>
Server one_by_one(std::uint32_t most, int backlog, const Session& session) {
  return OpenSocket{{"127.0.0.1", 8888}} >> [=](const Result<Socket>& listener) {
    return Listen{*listener, backlog} >> [=, socket = *listener](const Result<Endpoint>&) {
      return iter(std::uint32_t{0}, [=](std::uint32_t served) -> Program<Net, Goes> {
        if (served == most) return ret(Goes{Break{Result<Unit>()}});
        return Accept{socket} >> [=](const Result<Socket>& client) -> Program<Net, Goes> {
          if (!client) return ret(Goes{Break{Result<Unit>()}});
          return session(*client) >> [=](const Unit&) { return ret(Goes{Continue{served + 1}}); };
        };
      });
    };
  };
}

TEST(Probe, AServerOfOneClientAtATimeKeepsOthersWaiting) {
  const ProbeResult result = probed(one_by_one(as_many_as_come, 128, [](Socket client) { return echo_to(client); }));
  EXPECT_EQ(named(result, Ruling::violated), (Names{"idle", "unread"}));
  EXPECT_EQ(found(result, "idle"),
            "is silent where \"P\" is owed\n"
            "client 1\n"
            "  $ nc host 8888\n"
            "  < connected\n"
            "client 2\n"
            "  … 60 ms\n"
            "  $ nc host 8888\n"
            "  > \"P\"\n"
            "  < silence         where \"P\" is owed");
}

/// What its clients do to it ends it.
Program<Net, Unit> echo_until_reset(Socket client, Socket listener) {
  using Turn = Step<Unit, Unit>;
  return iter(Unit{}, [=](const Unit&) {
    return Recv{client, 1024, {}} >> [=](const Result<Bytes>& bytes) -> Program<Net, Turn> {
      // It lets go of the listener, and nobody can connect any more.
      if (!bytes) return Close{listener} >> [](const Result<Unit>&) { return ret(Turn{Break{Unit{}}}); };
      if (bytes->empty()) return Close{client} >> [](const Result<Unit>&) { return ret(Turn{Break{Unit{}}}); };
      return Send{client, *bytes, {}} >> [](const Result<std::size_t>&) { return ret(Turn{Continue{Unit{}}}); };
    };
  });
}

TEST(Probe, AResetThatEndsTheServerIsFound) {
  const ProbeResult result =
      probed(one_by_one(as_many_as_come, 128, [](Socket client) { return echo_until_reset(client, Socket{0}); }));
  EXPECT_EQ(promise(result, "reset").ruling, Ruling::violated);
  EXPECT_EQ(promise(result, "messages").ruling, Ruling::holds);
  EXPECT_NE(found(result, "reset").find("client 1\n  $ nc host 8888\n  > \"a\"\n  > reset\nclient 2"),
            std::string::npos);
}

/// Each client has a process of its own. `rest_ms` after each of them nobody is accepted.
Program<Net, Unit> echo_by_a_child(Socket client, std::int64_t rest_ms) {
  return Fork{} >> [=](const Result<Forked>& forked) -> Program<Net, Unit> {
    if (std::holds_alternative<Parent>(*forked))
      return Close{client} >> [=](const Result<Unit>&) { return ignore(Sleep{rest_ms}); };
    // The child must not come back into its parent's loop.
    return echo_to(client) >> [](const Unit&) { return ignore(Sleep{forever_ms}); };
  };
}

TEST(Probe, AServerThatAcceptsSlowlyTurnsABurstAway) {
  const ProbeResult result =
      probed(one_by_one(as_many_as_come, 0, [](Socket client) { return echo_by_a_child(client, 20); }));
  EXPECT_EQ(named(result, Ruling::violated), Names{"burst"});
  EXPECT_EQ(sentence(promise(result, "burst").finding->fault), "does not accept the connection in time");
}

TEST(Probe, AServerThatTiresIsFound) {
  const ProbeResult result = probed(one_by_one(150, 128, [](Socket client) { return echo_by_a_child(client, 0); }));
  EXPECT_EQ(named(result, Ruling::violated), Names{"lasting"});
  EXPECT_EQ(promise(result, "lasting").finding->visit.clients.size(), 151U);
}

// -- Time --------------------------------------------------------------------------------------------------------

TEST(Probe, AnIdleLimitIsJudgedWhereItIsAskedFor) {
  const auto with_limits = [](std::int64_t of_server_ms, std::int64_t expected_ms) {
    ProgramOptions program;
    program.session.until.wait_ms = of_server_ms;
    ProbeOptions asked = options();
    asked.expected.idle_timeout_ms = expected_ms;
    asked.runs = 0;
    return probe(simulated_clients(*program_named("stream", program)), asked);
  };
  EXPECT_EQ(promise(with_limits(20'000, 20'000), "idle-limit").ruling, Ruling::holds);
  EXPECT_EQ(found(with_limits(forever_ms, 20'000), "idle-limit"),
            "does not let go of an idle client\n"
            "$ nc host 8888\n"
            "< silence");
  EXPECT_EQ(sentence(promise(with_limits(5'000, 20'000), "idle-limit").finding->fault),
            "ends the connection where \"a\" is owed");
}

TEST(Probe, SilenceEndsTheProbe) {
  const Server silent = replace<Send>(stream(), [](const Send& send) -> Program<Net, Result<std::size_t>> {
    return ret(Result<std::size_t>(send.bytes.size()));
  });
  const ProbeResult result = probed(silent);
  EXPECT_EQ(named(result, Ruling::violated), Names{"echo"});
  EXPECT_EQ(named(result, Ruling::holds), Names{});
  EXPECT_EQ(promise(result, "burst").why, "'echo' does not hold");
}

TEST(Probe, NoTimeIsNoVerdict) {
  ProbeOptions hurried = options();
  hurried.timeout_ms = 1;
  const ProbeResult result = probe(simulated_clients(stream()), hurried);
  EXPECT_EQ(result.ruling, Ruling::incomplete);
  EXPECT_EQ(named(result, Ruling::incomplete).size(), result.promises.size());
  EXPECT_EQ(result.promises.front().why, "the time was up");
}

// -- What is no verdict ------------------------------------------------------------------------------------------

/// Clients that meet what the test says.
RunClients scripted(std::function<ClientView(std::size_t run)> view) {
  return [view = std::move(view), run = std::make_shared<std::size_t>(0)](const Visit& visit, std::int64_t) {
    return ClientsRun{std::vector<ClientView>(visit.clients.size(), view((*run)++))};
  };
}

TEST(Probe, NobodyIsThere) {
  const ProbeResult result = probe(scripted([](std::size_t) { return unconnected(Errno::CONNREFUSED); }), options());
  EXPECT_EQ(result.unreachable, Errno::CONNREFUSED);
  EXPECT_TRUE(result.promises.empty());
}

ClientView served() { return with_end(ended(view("a", "a"))); }

TEST(Probe, WhatThisMachineLacksIsNotTheServersFault) {
  const ProbeResult result =
      probe(scripted([](std::size_t run) { return run == 3 ? unconnected(Errno::MFILE) : served(); }), options());
  EXPECT_EQ(result.promises.front().why, "this machine lacks something: EMFILE");
  EXPECT_EQ(result.ruling, Ruling::incomplete);
}

TEST(Probe, WhatIsNotSeenAgainIsNoViolation) {
  const auto fails_once = [](std::size_t run) { return run == 5 ? with_reset(ended(view("a", "a"))) : served(); };
  const ProbeResult result = probe(scripted(fails_once), options());
  EXPECT_EQ(named(result, Ruling::violated), Names{});
  EXPECT_EQ(promise(result, "end").why,
            "it failed once, and not again: resets the connection (ECONNRESET) where the end is owed");
}

TEST(Probe, WhatFailsNowAndThenIsNotShrunkTo) {
  const auto all = promises(options().expected);
  const auto whole = std::ranges::find(all, "messages", &Promise::name)->visits.front().clients;
  // The whole script always fails, and a part of it not the second time.
  const auto tried = std::make_shared<std::vector<std::vector<Script>>>();
  const RunClients run = [=](const Visit& visit, std::int64_t) {
    const auto before = std::ranges::count(*tried, visit.clients);
    tried->push_back(visit.clients);
    const bool fails = visit.clients == whole || (visit.clients.front().size() > 4 && before != 1);
    const ClientView met = fails ? with_end(ended(view("ab", "a"))) : served();
    return ClientsRun{std::vector<ClientView>(visit.clients.size(), met)};
  };
  const ProbeResult result = probe(run, options());
  EXPECT_EQ(promise(result, "messages").finding->visit.clients, whole);
  EXPECT_GT(promise(result, "messages").finding->shrunk_in, 0U);
}

TEST(Probe, WhoDoesNotAnswerOnceIsNotGone) {
  const ProbeResult result =
      probe(scripted([](std::size_t run) { return run == 2 ? unconnected(Errno::CONNREFUSED) : served(); }), options());
  EXPECT_EQ(result.promises.front().ruling, Ruling::holds);
}

TEST(Probe, WhoIsGoneCannotBeAskedAgain) {
  const ProbeResult result =
      probe(scripted([](std::size_t run) { return run < 2 ? served() : unconnected(Errno::CONNREFUSED); }), options());
  EXPECT_EQ(result.promises.front().ruling, Ruling::violated);
  EXPECT_EQ(result.promises.front().finding->fault.failing, Failing::gone);
  EXPECT_EQ(result.promises.front().finding->tried, 0U);
  EXPECT_EQ(result.promises.back().why, "nobody is served any more");
}

}  // namespace
}  // namespace antiphon::verify
