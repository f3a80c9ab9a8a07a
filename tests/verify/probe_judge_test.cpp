#include "verify/probe_judge.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/verify/client_views.hpp"

namespace antiphon::verify {
namespace {

using script::Connect;
using script::EndSide;
using script::Reset;
using script::Send;
using script::StopReading;

Visit visit(Script script, Answers answers = Answers::everything) {
  Visit visit;
  visit.clients = {std::move(script)};
  visit.answers = answers;
  return visit;
}

/// What is wrong, or "nothing", or why it could not be judged.
std::string judged(const Visit& visit, ClientView view, bool had_its_time = true) {
  const ProbeVerdict verdict = judge_clients(visit, {{std::move(view)}, had_its_time});
  if (!verdict.unjudged.empty()) return "unjudged: " + verdict.unjudged.front();
  return verdict.faults.empty() ? "nothing" : sentence(verdict.faults.front());
}

const Script talk{Connect{}, Send{2}, EndSide{}};
const Script hold{Connect{}, Send{2}};

TEST(ProbeJudge, AnEchoAndAnEndAreRight) {
  EXPECT_EQ(judged(visit(talk), with_end(ended(view("ab", "ab")))), "nothing");
  EXPECT_EQ(judged(visit(hold), stopped(view("ab", "ab"))), "nothing");
}

TEST(ProbeJudge, WhatIsOwedHasToCome) {
  EXPECT_EQ(judged(visit(talk), with_end(ended(view("ab", "a")))), "ends the connection where \"b\" is owed");
  EXPECT_EQ(judged(visit(talk), with_reset(ended(view("ab", "")))),
            "resets the connection (ECONNRESET) where \"ab\" is owed");
  EXPECT_EQ(judged(visit(talk), ended(view("ab", "a"))), "is silent where \"b\" is owed");
  EXPECT_EQ(judged(visit(talk), stopped(ended(view("ab", "a")))), "is too slow where \"b\" is owed");
  EXPECT_EQ(judged(visit(hold), view("ab", "a")), "is silent where \"b\" is owed");
}

TEST(ProbeJudge, TheEndHasToComeAndOnlyThen) {
  EXPECT_EQ(judged(visit(talk), ended(view("ab", "ab"))), "is silent where the end is owed");
  EXPECT_EQ(judged(visit(talk), with_reset(ended(view("ab", "ab")))),
            "resets the connection (ECONNRESET) where the end is owed");
  EXPECT_EQ(judged(visit(hold), with_end(view("ab", "ab"))), "ends the connection before its client has ended it");
  EXPECT_EQ(judged(visit(hold), with_reset(view("ab", "ab"))), "resets the connection before its client has ended it");
}

TEST(ProbeJudge, WhatComesHasToBeRight) {
  EXPECT_EQ(judged(visit(talk), with_end(ended(view("ab", "aB")))),
            "alters what it received at byte 1: sends \"B\" where \"b\" is owed");
  // Whoever resets or does not read is owed nothing else.
  for (const Script& script : {Script{Connect{}, Send{2}, Reset{}}, Script{Connect{}, StopReading{}, Send{2}}}) {
    EXPECT_EQ(judged(visit(script), with_end(view("ab", ""))), "nothing");
    EXPECT_EQ(judged(visit(script), view("ab", "x")),
              "alters what it received at byte 0: sends \"x\" where \"ab\" is owed");
  }
}

TEST(ProbeJudge, SaysWhoseBytesStrayed) {
  Visit two = visit({Connect{}, Send{40}, EndSide{}});
  two.clients.push_back(two.clients.front());
  const std::string own = payload(0, 0, 40);
  const std::string other = payload(1, 0, 40);
  const ProbeVerdict verdict =
      judge_clients(two, {{with_end(ended(view(own, other))), with_end(ended(view(other, other)))}});
  ASSERT_EQ(verdict.faults.size(), 1U);
  EXPECT_TRUE(verdict.faults.front().what.starts_with("sends what client 2 had sent at byte 0: "));
}

TEST(ProbeJudge, EveryClientIsAccepted) {
  EXPECT_EQ(judged(visit(talk), unconnected(Errno::EXPIRED)), "does not accept the connection in time");
  EXPECT_EQ(judged(visit(talk), unconnected(Errno::CONNREFUSED)), "refuses the connection: ECONNREFUSED");
}

TEST(ProbeJudge, WhatCannotBeJudgedIsNotRight) {
  EXPECT_EQ(judged(visit(talk), unconnected(Errno::MFILE)), "unjudged: this machine lacks something: EMFILE");
  EXPECT_EQ(judged(visit(talk), stopped(ended(view("ab", "a"))), false), "unjudged: the time was up");
  EXPECT_EQ(judged(visit(talk), {}), "unjudged: the time was up");
  // An alteration is one, however little time there was; and one who holds is settled.
  EXPECT_EQ(judged(visit(talk), stopped(view("ab", "x")), false),
            "alters what it received at byte 0: sends \"x\" where \"ab\" is owed");
  EXPECT_EQ(judged(visit(hold), stopped(view("ab", "ab")), false), "nothing");
}

TEST(ProbeJudge, OfOneMessageTheEndFollowsTheAnswer) {
  const auto once = [](const Script& script) { return visit(script, Answers::first_message); };
  const Script more{Connect{}, Send{2}, Send{3}, EndSide{}};
  EXPECT_EQ(judged(once(hold), with_end(view("ab", "ab"))), "nothing");
  EXPECT_EQ(judged(once(hold), view("ab", "ab")), "is silent where the end is owed");
  EXPECT_EQ(judged(once(more), with_end(ended(view("abcde", "ab")))), "nothing");
  EXPECT_EQ(judged(once(more), with_end(ended(view("abcde", "abcde")))), "nothing");
  EXPECT_EQ(judged(once(more), with_end(ended(view("abcde", "a")))), "ends the connection where \"b\" is owed");
  EXPECT_EQ(judged(once(more), with_reset(ended(view("abcde", "ab")))),
            "resets the connection (ECONNRESET) where the end is owed");
  // Nothing was said, and so nothing is answered.
  EXPECT_EQ(judged(once({Connect{}, EndSide{}}), with_end(ended(view("", "")))), "nothing");
  EXPECT_EQ(judged(once({Connect{}}), with_end(view("", ""))), "ends the connection before its client has ended it");
  // Of a long message the smallest buffer is owed.
  const std::string text(3000, 'x');
  const Script sends_much{Connect{}, Send{3000}, EndSide{}};
  EXPECT_EQ(judged(once(sends_much), with_end(ended(view(text, text.substr(0, 1024))))), "nothing");
  EXPECT_EQ(judged(once(sends_much), with_end(ended(view(text, text.substr(0, 1023))))),
            "ends the connection where \"x\" is owed");
}

TEST(ProbeJudge, AnIdleClientIsLetGoOfInTime) {
  Visit idle = visit({Connect{}});
  EXPECT_EQ(judged(idle, with_end(view("", ""))), "ends the connection before its client has ended it");
  idle.patience.idle_ms = 1'000;
  EXPECT_EQ(judged(idle, with_end(view("", ""))), "nothing");
  EXPECT_EQ(judged(idle, with_reset(view("", ""))), "nothing");
  EXPECT_EQ(judged(idle, view("", "")), "does not let go of an idle client");
  EXPECT_EQ(judged(idle, stopped(view("", ""))), "does not let go of an idle client");
  EXPECT_EQ(judged(idle, stopped(view("", "")), false), "unjudged: the time was up");
}

}  // namespace
}  // namespace antiphon::verify
