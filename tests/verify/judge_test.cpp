#include "verify/judge.hpp"

#include <algorithm>
#include <map>
#include <ranges>
#include <set>
#include <string>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "tests/rapidcheck.hpp"
#include "tests/verify/history.hpp"
#include "verify/campaign.hpp"
#include "verify/planted.hpp"

namespace antiphon::verify {
namespace {

using Remarks = std::vector<std::string>;

// -- Complete, cut, broken --------------------------------------------------------------------------------------

TEST(Judge, AnEmptyTraceIsIncomplete) {
  const Verdict verdict = judge({}, expectations());
  EXPECT_EQ(verdict.ruling, Ruling::incomplete);
  EXPECT_EQ(verdict.remarks, Remarks{"the end of process 0 is missing"});
}

TEST(Judge, AMissingEndIsIncomplete) {
  const Verdict verdict = judged(having_read("a"));
  EXPECT_EQ(verdict.ruling, Ruling::incomplete);
  EXPECT_EQ(verdict.remarks, Remarks{"the end of process 1 is missing"});
}

TEST(Judge, ACutTraceIsIncomplete) {
  Judge judge(expectations());
  for (const Event& event : conversation().events) judge.see(event);
  const Verdict verdict = judge.finish(true);
  EXPECT_EQ(verdict.ruling, Ruling::incomplete);
  EXPECT_EQ(verdict.remarks, Remarks{"the record is cut off"});
}

TEST(Judge, EachWorkerHasAFirstProcess) {
  Expectations of_two = expectations();
  of_two.workers = 2;
  Judge judge(of_two);
  const auto under_own_names = [](Event event, ProcessId worker) {
    if (auto* const of_process = std::get_if<ProcessEvent>(&event)) {
      of_process->process = 2 * of_process->process + worker;
      auto* const issued = std::get_if<Issued>(&of_process->what);
      if (issued != nullptr && issued->child) issued->child = 2 * *issued->child + worker;
    }
    return event;
  };
  for (const Event& event : conversation().events) {
    for (const ProcessId worker : {0, 1}) judge.see(under_own_names(event, worker));
  }
  const Verdict verdict = judge.finish();
  EXPECT_EQ(verdict.ruling, Ruling::holds);
  EXPECT_EQ(verdict.tally.processes, 4U);
  EXPECT_EQ(verdict.tally.connections, 2U);
}

TEST(Judge, AProcessWhoseForkIsMissingIsIncomplete) {
  const History history = conversation().on(9, Close{listener}, done());
  const Verdict verdict = judged(history);
  EXPECT_EQ(verdict.ruling, Ruling::incomplete);
  EXPECT_EQ(verdict.remarks, Remarks{"process 9 has events, and the Fork that it comes from is missing"});
}

TEST(Judge, AProcessThatGoesOnUnansweredIsIncomplete) {
  const Verdict verdict = judged(serving().waits(1, read()).on(1, Close{client}, done()).ends(1));
  EXPECT_EQ(verdict.remarks, Remarks{"process 1 goes on after an instruction that was never answered"});
}

TEST(Judge, AProcessThatIsMadeTwiceIsIncomplete) {
  const Verdict verdict =
      judged(opening().forks(0, 1).forks(0, 1).waits(0, Accept{listener}).on(1, Close{listener}, done()).ends(1));
  EXPECT_EQ(verdict.ruling, Ruling::incomplete);
  EXPECT_EQ(verdict.remarks, Remarks{"process 1 is made twice"});
}

TEST(Judge, NothingIsSaidOfTheEndOfAnIncompleteRun) {
  const Verdict verdict = judged(having_read("a").forks(0, 2).waits(1, read()));
  EXPECT_EQ(verdict.ruling, Ruling::incomplete);
  EXPECT_TRUE(verdict.violations.empty());
}

TEST(Judge, AViolationOutweighsWhatIsMissing) {
  const Verdict verdict = judged(having_read("a").on(1, write("b"), 1));
  EXPECT_EQ(verdict.ruling, Ruling::violated);
  EXPECT_FALSE(verdict.remarks.empty());
}

TEST(Judge, AProgramThatNeverRestsIsIncomplete) {
  const Server spins = iter(Unit{}, [](const Unit&) {
    return Sleep{0} >> [](const Result<Unit>&) { return ret(Step<Unit, Result<Unit>>(Continue{Unit{}})); };
  });
  const Judged result = run_and_judge(spins, Scenario(0), expectations());
  EXPECT_FALSE(result.run.at_rest);
  EXPECT_EQ(result.verdict.ruling, Ruling::incomplete);
}

TEST(Judge, RulingsAndExcusesHaveNames) {
  EXPECT_EQ(name_of(Ruling::holds), "holds");
  EXPECT_EQ(name_of(Ruling::violated), "violated");
  EXPECT_EQ(name_of(Ruling::incomplete), "incomplete");
  EXPECT_EQ(name_of(Excuse::refused), "refused");
}

// -- What a verdict says ----------------------------------------------------------------------------------------

TEST(Judge, AViolationSaysWhichEventItIs) {
  const History history = having_read("a").on(1, write("b"), 1);
  const Verdict verdict = judged(history);
  ASSERT_FALSE(verdict.violations.empty());
  EXPECT_EQ(verdict.violations.front().event, history.events.size() - 1);
  EXPECT_EQ(verdict.violations.front().clause.name, "echo");
}

TEST(Judge, AViolationAtTheEndComesAfterAllEvents) {
  const History history = having_read("a").waits(1, read());
  const Verdict verdict = judged(history);
  ASSERT_EQ(verdict.violations.size(), 1U);
  EXPECT_EQ(verdict.violations.front().event, history.events.size());
}

TEST(Judge, TalliesTheRun) {
  const Verdict verdict = judged(conversation());
  EXPECT_EQ(verdict.tally.events, conversation().events.size());
  EXPECT_EQ(verdict.tally.processes, 2U);
  EXPECT_EQ(verdict.tally.connections, 1U);
  EXPECT_EQ(verdict.tally.at_once, 1U);
  EXPECT_EQ(verdict.tally.bytes_received, 3U);
  EXPECT_EQ(verdict.tally.bytes_sent, 3U);
  EXPECT_EQ(verdict.tally.short_sends, 0U);
  EXPECT_EQ(verdict.tally.errors, 0U);
  EXPECT_EQ(verdict.tally.excuses, (std::array<std::uint64_t, excuse_kinds>{1, 0, 0, 0, 0}));
}

TEST(Judge, TalliesExcusesAndShortSends) {
  const History history = having_read("ab")
                              .on(1, write("ab"), 1)
                              .on(1, write("b"), failed(Errno::EXPIRED))
                              .on(1, Close{client}, done())
                              .ends(1);
  const Tally tally = judged(history).tally;
  EXPECT_EQ(tally.short_sends, 1U);
  EXPECT_EQ(tally.errors, 1U);
  EXPECT_EQ(tally.excuses, (std::array<std::uint64_t, excuse_kinds>{0, 0, 1, 0, 0}));
}

TEST(Judge, ClausesHaveDifferentNames) {
  std::set<std::string_view> names;
  for (const Clause& clause : all_clauses()) names.insert(clause.name);
  EXPECT_EQ(all_clauses().size(), 22U);
  EXPECT_EQ(names.size(), 22U);
}

// -- The order in which processes report ------------------------------------------------------------------------

/// The events of processes only, as a record of the real kernel has them.
std::vector<Event> of_processes(const std::vector<Event>& trace) {
  std::vector<Event> kept;
  std::ranges::copy_if(trace, std::back_inserter(kept),
                       [](const Event& event) { return std::holds_alternative<ProcessEvent>(event); });
  return kept;
}

/// The same events in another order, each process's own as they were.
std::vector<Event> shuffled(const std::vector<Event>& trace, std::uint64_t seed) {
  std::map<ProcessId, std::vector<Event>> queues;
  for (const Event& event : trace | std::views::reverse) {
    queues[std::get<ProcessEvent>(event).process].push_back(event);
  }
  std::vector<Event> order;
  rc::Random random(seed);
  while (!queues.empty()) {
    const auto queue = std::next(queues.begin(), static_cast<std::ptrdiff_t>(random.next() % queues.size()));
    order.push_back(queue->second.back());
    queue->second.pop_back();
    if (queue->second.empty()) queues.erase(queue);
  }
  return order;
}

/// Ruling and clauses, without who was the last to let go.
std::string summary(const Verdict& verdict) {
  std::set<std::string_view> clauses;
  for (const Violation& violation : verdict.violations) clauses.insert(violation.clause.name);
  std::string text(name_of(verdict.ruling));
  for (const std::string_view clause : clauses) text += ' ' + std::string(clause);
  for (const std::string& remark : verdict.remarks) text += "; " + remark;
  return text;
}

TEST(Judge, TheOrderBetweenProcessesDoesNotMatter) {
  const Server stream = *program_named("stream");
  std::vector<Server> servers{stream};
  for (const Planted& planted : planted_violations()) {
    if (planted.clause == "echo" || planted.clause == "answered" || planted.clause == "own-connection" ||
        planted.clause == "input-read") {
      servers.push_back(planted.server);
    }
  }
  ASSERT_EQ(servers.size(), 7U);
  const Generation generation{4, std::vector<bool>(fault_classes().size(), true)};
  EXPECT_TRUE(holds(
      [&](std::uint64_t seed, std::uint64_t order) {
        const Server& server = servers[seed % servers.size()];
        const std::vector<Event> trace = of_processes(simulate(server, draw(generation, seed)).trace);
        RC_ASSERT(summary(judge(shuffled(trace, order), expectations())) == summary(judge(trace, expectations())));
      },
      300));
}

TEST(Judge, EventsOfUnbornProcessesAreHeldBackWhateverTheirNumber) {
  constexpr ProcessId generations = 50'000;
  History history;
  for (ProcessId parent = 0; parent < generations; ++parent) {
    history.on(parent, DiscardChildren{}, done()).forks(parent, parent + 1).ends(parent);
  }
  history.ends(generations);
  Judge judge(expectations());
  std::vector<Event> youngest_first = history.events;
  std::ranges::sort(youngest_first, {}, [](const Event& event) {
    const auto& one = std::get<ProcessEvent>(event);
    return std::pair(~one.process, one.number);
  });
  for (const Event& event : youngest_first) judge.see(event);
  const Verdict verdict = judge.finish();
  EXPECT_EQ(summary(verdict), "holds");
  EXPECT_EQ(verdict.tally.processes, generations + 1);
}

TEST(Judge, CountsTheSendsThatAnAlarmEnded) {
  const auto alarms = [](std::int64_t alarm_ms, const Result<std::size_t>& answer) {
    return judged(having_read("ab").on(1, Alarm{alarm_ms}, done()).on(1, write("ab"), answer)).tally.alarms;
  };
  const Result<std::size_t> expired = failed(Errno::EXPIRED);
  EXPECT_EQ(alarms(until.wait_ms - 1, expired), 1U);
  EXPECT_EQ(alarms(until.wait_ms, expired), 0U) << "the deadline may have been first";
  EXPECT_EQ(alarms(forever_ms, expired), 0U);
  EXPECT_EQ(alarms(1, failed(Errno::CONNRESET)), 0U);
  EXPECT_EQ(alarms(1, 2), 0U);
}

TEST(Judge, ALimitThatIsNotSetHasNothingToJudge) {
  EXPECT_EQ(not_asked(expectations()), std::vector<std::string_view>{"progress-limit"});
  Expectations unlimited_time;
  EXPECT_EQ(not_asked(unlimited_time), (std::vector<std::string_view>{"idle-limit", "progress-limit"}));
  unlimited_time.progress_ms = 1;
  unlimited_time.idle_ms = 1;
  EXPECT_TRUE(not_asked(unlimited_time).empty());
}

TEST(Judge, TenThousandConnectionsOneAfterTheOther) {
  History history = opening();
  for (ProcessId child = 1; child <= 10'000; ++child) {
    history.on(0, Accept{listener}, client)
        .forks(0, child)
        .on(0, Close{client}, done())
        .on(child, Close{listener}, done())
        .on(child, read(), bytes("ab"))
        .on(child, write("ab"), 2)
        .on(child, read(), bytes(""))
        .on(child, Close{client}, done())
        .ends(child);
  }
  const Verdict verdict = judged(history.waits(0, Accept{listener}));
  EXPECT_EQ(summary(verdict), "holds");
  EXPECT_EQ(verdict.tally.connections, 10'000U);
  EXPECT_EQ(verdict.tally.at_once, 1U);
}

}  // namespace
}  // namespace antiphon::verify
