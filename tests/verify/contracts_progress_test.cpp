#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "tests/verify/history.hpp"
#include "verify/bisimilar.hpp"
#include "verify/campaign.hpp"
#include "verify/exhaustive.hpp"
#include "verify/explorer.hpp"
#include "verify/mutation.hpp"

/// The clause progress-limit, what an alarm excuses, and the programs that have one.

namespace antiphon::verify {
namespace {

constexpr Alarm alarm{30'000};
constexpr Alarm none{forever_ms};

Expectations in_time() {
  Expectations expected = expectations();
  expected.progress_ms = 30'000;
  return expected;
}

std::string progress_of(const History& history) { return verdict_on("progress-limit", history, in_time()); }

/// Process 1 has read "abc" and set its alarm.
History alarmed(const Alarm& by = alarm) { return having_read("abc").on(1, by, done()); }

TEST(ProgressLimit, WhatIsSentIsSentUnderAnAlarm) {
  EXPECT_EQ(progress_of(alarmed().on(1, write("abc"), 1).waits(1, write("bc"))), "kept");
  EXPECT_EQ(progress_of(alarmed(Alarm{1}).waits(1, write("abc"))), "kept");
  EXPECT_EQ(progress_of(having_read("abc").waits(1, write("abc"))),
            "process 1, event 3 (Send): sends without an alarm, where 30000 ms are the limit");
  EXPECT_EQ(progress_of(alarmed().on(1, none, done()).waits(1, write("abc"))),
            "process 1, event 5 (Send): sends without an alarm, where 30000 ms are the limit");
  EXPECT_EQ(progress_of(alarmed(Alarm{30'001}).waits(1, write("abc"))),
            "process 1, event 4 (Send): sends under an alarm of 30001 ms, where 30000 ms are the limit");
  EXPECT_EQ(verdict_on("progress-limit", conversation()), "kept") << "no limit is promised";
}

TEST(ProgressLimit, WhatDoesNotWaitNeedsNoAlarm) {
  const Send tried{client, Bytes::copy_of("abc"), {.wait_ms = 0, .drain_ms = 5'000}};
  const History expired = having_read("abc").on(1, tried, failed(Errno::EXPIRED));
  EXPECT_EQ(progress_of(having_read("abc").on(1, tried, 3)), "kept");
  EXPECT_EQ(progress_of(History(expired).on(1, alarm, done()).on(1, write("abc"), 3)), "kept");
  EXPECT_EQ(progress_of(History(expired).waits(1, write("abc"))),
            "process 1, event 4 (Send): sends without an alarm, where 30000 ms are the limit");
  EXPECT_EQ(verdict_on("answered", History(expired).on(1, Close{client}, done()), in_time()),
            "process 1, event 4 (Close): lets go of its client and owes it \"abc\"");
}

TEST(ProgressLimit, WhoTriesAgainWithoutWaitingKeepsItsClientToo) {
  const Send tried{client, Bytes::copy_of("abc"), {.wait_ms = 0, .drain_ms = 5'000}};
  const Send rest{client, Bytes::copy_of("bc"), {.wait_ms = 0, .drain_ms = 5'000}};
  const std::string breach = ": sends without an alarm, where 30000 ms are the limit";
  const auto expired = failed(Errno::EXPIRED);
  EXPECT_EQ(progress_of(having_read("abc").on(1, tried, expired).on(1, Sleep{9'000}, done()).on(1, tried, expired)),
            "process 1, event 5 (Send)" + breach);
  EXPECT_EQ(progress_of(having_read("abc").on(1, tried, 1).on(1, rest, 2)), "process 1, event 4 (Send)" + breach);
  EXPECT_EQ(progress_of(having_read("abc").on(1, tried, failed(Errno::INTR)).on(1, tried, 3)), "kept");
  EXPECT_EQ(progress_of(having_read("abc").on(1, tried, 1).on(1, alarm, done()).on(1, rest, 2)), "kept");
  EXPECT_EQ(progress_of(having_read("abc").on(1, tried, 3).on(1, read(), bytes("bc")).on(1, rest, 2)), "kept");
}

TEST(ProgressLimit, TheAlarmIsSetOnceForWhatWasReceived) {
  EXPECT_EQ(progress_of(alarmed().on(1, alarm, done()).waits(1, write("abc"))), "kept");
  EXPECT_EQ(progress_of(alarmed().on(1, write("abc"), 1).on(1, alarm, done())),
            "process 1, event 5 (Alarm): sets its alarm again for what it received once");
  EXPECT_EQ(progress_of(alarmed().on(1, write("abc"), 1).on(1, none, done()).on(1, alarm, done())),
            "process 1, event 6 (Alarm): sets its alarm again for what it received once");
  const auto twice = alarmed().on(1, write("abc"), 3).on(1, none, done()).on(1, read(), bytes("d"));
  EXPECT_EQ(progress_of(History(twice).on(1, alarm, done()).on(1, write("d"), 1)), "kept");
  EXPECT_EQ(progress_of(serving().on(1, alarm, done()).on(1, read(), bytes("a")).waits(1, write("a"))),
            "process 1, event 3 (Recv): waits for its client with an alarm set");
}

TEST(ProgressLimit, NoRecvIsUnderIt) {
  EXPECT_EQ(progress_of(alarmed().on(1, write("abc"), 3).on(1, none, done()).waits(1, read())), "kept");
  EXPECT_EQ(progress_of(alarmed().on(1, write("abc"), 3).waits(1, read())),
            "process 1, event 5 (Recv): waits for its client with an alarm set");
}

TEST(ProgressLimit, OfOneProcessNothingIsAskedForAnother) {
  const History two = having_read("abc").on(0, Accept{listener}, client).forks(0, 2).on(2, alarm, done());
  EXPECT_EQ(progress_of(History(two).waits(1, write("abc"))),
            "process 1, event 3 (Send): sends without an alarm, where 30000 ms are the limit");
}

// -- What it excuses --------------------------------------------------------------------------------------------

/// The session gives its client up, since the Send expired.
std::string answered_after(const Alarm& by, const Deadline& deadline, const Expectations& expected) {
  const Send send{client, Bytes::copy_of("abc"), deadline};
  return verdict_on("answered", alarmed(by).on(1, send, failed(Errno::EXPIRED)).on(1, Close{client}, done()), expected);
}

TEST(ProgressLimit, AnAlarmThatRangExcusesADebt) {
  const std::string breach = "process 1, event 5 (Close): lets go of its client and owes it \"abc\"";
  EXPECT_EQ(answered_after(alarm, until, in_time()), "kept");
  EXPECT_EQ(answered_after(alarm, {}, in_time()), "kept");
  EXPECT_EQ(answered_after(Alarm{29'999}, until, in_time()), breach);
  EXPECT_EQ(answered_after(alarm, until, expectations()), breach) << "no limit is promised";
  EXPECT_EQ(answered_after(none, until, in_time()), "kept") << "it was idle for as long as that may be";
  EXPECT_EQ(answered_after(alarm, {.wait_ms = 1, .drain_ms = 5'000}, in_time()), breach);
}

TEST(ProgressLimit, WhatDidNotWaitExcusesNothing) {
  const Send tried{client, Bytes::copy_of("abc"), {.wait_ms = 0, .drain_ms = 5'000}};
  const auto expired = failed(Errno::EXPIRED);
  const auto ends = [](History history) { return history.on(1, read(), Bytes{}).on(1, Close{client}, done()); };
  const History tricked = alarmed(Alarm{1}).on(1, write("abc"), expired).on(1, none, done());
  EXPECT_NE(verdict_on("answered", ends(History(tricked).on(1, tried, expired)), in_time()), "kept");
  EXPECT_NE(verdict_on("answered", ends(History(tricked).on(1, tried, expired)), expectations()), "kept");

  const History whole = having_read("abc").on(1, tried, expired).on(1, alarm, done()).on(1, write("abc"), 3);
  Expectations once = in_time();
  once.answers = Answers::first_message;
  EXPECT_EQ(verdict_on("ends-side", History(whole).on(1, none, done()).waits(1, read()), once),
            "process 1, event 7 (Recv): reads on and has not ended its side");
  EXPECT_EQ(judged(ends(History(whole).on(1, none, done())), in_time()).tally.excuses[0], 1U);
}

TEST(ProgressLimit, SilenceHasALimitOfItsOwn) {
  const auto silent = [](std::int64_t wait_ms) {
    const History cut = serving().on(1, Alarm{wait_ms}, done()).on(1, read(), failed(Errno::EXPIRED));
    return verdict_on("input-read", History(cut).on(1, Close{client}, done()), in_time());
  };
  EXPECT_EQ(silent(60'000), "kept");
  EXPECT_EQ(silent(30'000), "process 1, event 4 (Close): lets go of a client whose end it has not read");
}

// -- The programs that have a limit -----------------------------------------------------------------------------

/// A program of the catalogue, and what it is held to.
struct Limited {
  std::string name;
  Server server;
  Expectations expected;
};

std::vector<Limited> limited_programs() {
  ProgramOptions options;
  options.session.progress_ms = 30'000;
  std::vector<Limited> programs;
  for (const std::string name : {"stream", "once"}) {
    Expectations expected = in_time();
    if (name == "once") expected.answers = Answers::first_message;
    programs.push_back({name, *program_named(name, options), expected});
  }
  return programs;
}

/// Whether a Send expired although it might have waited for longer.
bool shows_alarm(const Run& run) {
  std::int64_t alarm_ms = forever_ms;
  for (const Event& event : run.trace) {
    const auto* const one = std::get_if<ProcessEvent>(&event);
    if (one == nullptr || one->process != 1) continue;
    if (const auto* const set = exchange_of<Alarm>(*one)) alarm_ms = set->instruction.wait_ms;
    const auto* const send = exchange_of<Send>(*one);
    const bool expired = send != nullptr && send->response == Result<std::size_t>(failed(Errno::EXPIRED));
    if (expired && alarm_ms < send->instruction.until.wait_ms) return true;
  }
  return false;
}

TEST(ProgressLimit, IsKeptInRandomScenarios) {
  const Generation generation{3, std::vector<bool>(fault_classes().size(), true)};
  std::uint64_t alarms = 0;
  for (const Limited& one : limited_programs()) {
    for (std::uint64_t run = 1; run <= 1'000; ++run) {
      const Scenario scenario = scenario_of_run(generation, 1, run);
      const Judged judged = run_and_judge(one.server, scenario, one.expected);
      ASSERT_EQ(judged.verdict.ruling, Ruling::holds) << one.name << ": " << describe(scenario);
      if (shows_alarm(judged.run)) ++alarms;
    }
  }
  EXPECT_GT(alarms, 0U);
}

TEST(ProgressLimit, IsKeptInAllRuns) {
  for (const Limited& one : limited_programs()) {
    for (const std::string faults : {"none", "short,idle,reset,stop"}) {
      ScopeRequest request;
      request.clients = faults == "none" ? 2 : 1;
      request.faults = *faults_named(faults);
      ExploreOptions options;
      options.expectations = one.expected;
      const Exploration result = explore(one.server, *scope_of(request), options);
      EXPECT_EQ(result.ruling, Ruling::holds) << one.name << ", " << faults;
      EXPECT_TRUE(result.closed);
    }
  }
}

/// Whatever is done wrong about an alarm breaks a clause, or nobody can tell.
TEST(ProgressLimit, NoMutantOfAnAlarmSurvives) {
  const Limited stream = limited_programs().front();
  MutationOptions options;
  options.runs = 200;
  options.expectations = stream.expected;
  const std::array strategies{same_trees(), random_scenarios(options), exhaustive(options), bisimilar()};
  std::size_t killed = 0;
  for (const Mutant& mutant : mutants_of(stream.server)) {
    if (mutant.instruction != Alarm::name) continue;
    Opinion opinion;
    for (std::size_t at = 0; at < strategies.size() && opinion.fate == Fate::survived; ++at) {
      opinion = strategies.at(at).judge(stream.server, mutant);
    }
    EXPECT_NE(opinion.fate, Fate::survived) << name_of(mutant);
    if (opinion.fate == Fate::killed) ++killed;
  }
  EXPECT_GE(killed, 4U);
}

}  // namespace
}  // namespace antiphon::verify
