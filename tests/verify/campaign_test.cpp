#include "verify/campaign.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "core/rewrite.hpp"
#include "interpreters/trace_text.hpp"
#include "tests/verify/history.hpp"
#include "verify/expectations.hpp"
#include "verify/lying_kernels.hpp"
#include "verify/planted.hpp"
#include "verify/token.hpp"

namespace antiphon::verify {
namespace {

/// A campaign of so many runs as the command line makes it.
CampaignOptions options(std::string_view program, std::uint64_t runs, std::string_view faults) {
  CampaignOptions made;
  made.runs = runs;
  made.generation = {4, *faults_named(faults)};
  made.expectations = expectations(program == "once" ? Answers::first_message : Answers::everything);
  return made;
}

CampaignResult result_of(std::string_view program, std::uint64_t runs, std::string_view faults) {
  return campaign(*program_named(program), options(program, runs, faults));
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

/// Everything that a reader is shown, in one text.
std::string text_of(const CampaignResult& result) {
  std::string text(name_of(result.ruling));
  text += ' ' + std::to_string(result.runs) + ' ' + std::to_string(result.total.events);
  for (const Sometimes& row : result.sometimes) text += '\n' + std::string(row.what) + std::to_string(row.runs);
  for (const Canary& canary : result.canaries) {
    text += '\n' + std::string(canary.clause) + std::to_string(canary.found_in_run);
  }
  for (const Finding& finding : result.findings) {
    text += '\n' + finding.violation.sentence + '\n' + describe(finding.scenario);
    for (const Event& event : finding.trace) text += event_line(event) + '\n';
  }
  return text;
}

void expect_holds(const CampaignResult& result) {
  EXPECT_EQ(result.ruling, Ruling::holds) << text_of(result.remarks) << text_of(result);
  EXPECT_EQ(result.incomplete_runs, 0U);
  EXPECT_TRUE(result.data_independent);
  EXPECT_EQ(result.canaries.size(), planted_violations().size() + lying_kernels().size());
  for (const Canary& canary : result.canaries) EXPECT_GT(canary.found_in_run, 0U) << canary.clause;
  for (const Sometimes& row : result.sometimes) EXPECT_GT(row.runs, 0U) << row.what;
}

TEST(Campaign, TheStreamHoldsUnderEveryFault) { expect_holds(result_of("stream", 2'000, "all")); }
TEST(Campaign, TheStreamHoldsWithoutFaults) { expect_holds(result_of("stream", 2'000, "none")); }
TEST(Campaign, TheOneMessageServerHoldsUnderEveryFault) { expect_holds(result_of("once", 2'000, "all")); }
TEST(Campaign, TheOneMessageServerHoldsWithoutFaults) { expect_holds(result_of("once", 2'000, "none")); }

/// A server that serves one client of each address, and its clients at up to two of them.
CampaignOptions by_address(std::int64_t promised) {
  CampaignOptions made = options("stream", 1'000, "all");
  made.generation.most_addresses = 2;
  made.expectations.max_per_address = promised;
  return made;
}

TEST(Campaign, ALimitByAddressHolds) {
  const Server server = *program_named("stream", {.server = {.max_per_address = 1}, .session = {}});
  const CampaignOptions options = by_address(1);
  expect_holds(campaign(server, options));
  std::set<std::uint32_t> addresses;
  bool is_refused_at_one_and_served_at_another = false;
  for (std::uint64_t run = 1; run <= options.runs; ++run) {
    const Scenario scenario = scenario_of_run(options.generation, options.seed, run);
    addresses.insert(scenario.addresses);
    if (scenario.addresses < 2 || !scenario.faults.empty() || scenario.max_processes < 1024) continue;
    const Tally tally = run_and_judge(server, scenario, options.expectations).verdict.tally;
    const auto refused = tally.excuses.at(static_cast<std::size_t>(Excuse::refused));
    is_refused_at_one_and_served_at_another |= refused > 0 && tally.at_once > 2;
  }
  EXPECT_EQ(addresses, (std::set<std::uint32_t>{1, 2}));
  EXPECT_TRUE(is_refused_at_one_and_served_at_another);
}

/// As `echo-verify properties` makes it with these limits.
CampaignOptions limited(std::int64_t per_address, std::string_view faults) {
  CampaignOptions made = options("stream", 1'000, faults);
  made.planted.server.max_per_address = per_address;
  made.planted.session.progress_ms = 10'000;
  made.expectations = expectations_of("stream", made.planted);
  made.generation = generation_for(made.expectations, 4, *faults_named(faults));
  return made;
}

TEST(Campaign, BothLimitsHoldAndTakeEffect) {
  const CampaignOptions options = limited(1, "all");
  const CampaignResult result = campaign(*program_named("stream", options.planted), options);
  expect_holds(result);
  EXPECT_TRUE(result.not_asked.empty());
  EXPECT_GT(result.total.alarms, 0U);
  const std::vector<Sometimes> limits = SometimesTable::of_limits(options.generation, options.expectations).rows();
  ASSERT_EQ(limits.size(), 2U);
  for (const Sometimes& limit : limits) {
    EXPECT_NE(std::ranges::find(result.sometimes, limit.what, &Sometimes::what), result.sometimes.end());
  }
}

TEST(Campaign, ALimitThatNobodyMeetsIsTold) {
  const CampaignOptions options = limited(5, "all");
  const CampaignResult result = campaign(*program_named("stream", options.planted), options);
  EXPECT_EQ(result.ruling, Ruling::incomplete);
  EXPECT_EQ(result.remarks, std::vector<std::string>{"it never happened that a client is refused for its address; "
                                                     "more runs may show it"});
}

TEST(Campaign, TheClauseOfALimitThatIsNotSetIsNotAsked) {
  EXPECT_EQ(result_of("stream", 1, "none").not_asked, std::vector<std::string_view>{"progress-limit"});
}

TEST(Campaign, WhoServesFewerOfAnAddressThanPromisedIsFound) {
  const Server server = *program_named("stream", {.server = {.max_per_address = 1}, .session = {}});
  const CampaignResult result = campaign(server, by_address(2));
  EXPECT_EQ(result.ruling, Ruling::violated);
  const auto found = std::ranges::find(result.findings, "input-read",
                                       [](const Finding& finding) { return finding.violation.clause.name; });
  ASSERT_NE(found, result.findings.end());
  // Two clients do, and they are at one address.
  EXPECT_EQ(found->scenario.clients.size(), 2U);
  EXPECT_EQ(found->scenario.addresses, 1U);
}

// -- Findings ---------------------------------------------------------------------------------------------------

const CampaignResult& refutation() {
  static const CampaignResult result = result_of("seed", 300, "all");
  return result;
}

TEST(Campaign, TheOriginalIsRefuted) {
  EXPECT_EQ(refutation().ruling, Ruling::violated);
  std::set<std::string_view> clauses;
  for (const Finding& finding : refutation().findings) clauses.insert(finding.violation.clause.name);
  for (const std::string_view clause : {"input-read", "released", "own-connection", "reaped", "handled",
                                        "acceptor-lives", "idle-limit", "drained", "admission", "delivered"}) {
    EXPECT_TRUE(clauses.contains(clause)) << clause;
  }
  EXPECT_EQ(clauses.size(), refutation().findings.size()) << "one for each clause";
}

TEST(Campaign, EachFindingComesBackFromItsToken) {
  const std::string identity = "0123456789abcdef0123456789abcdef";
  for (const Finding& finding : refutation().findings) {
    const auto scenario = scenario_of(token_of(finding.scenario, "seed", identity), "seed", identity);
    ASSERT_TRUE(scenario.has_value()) << scenario.error();
    EXPECT_EQ(*scenario, finding.scenario);
    const Judged again = run_and_judge(*program_named("seed"), *scenario, expectations());
    EXPECT_EQ(again.run.trace, finding.trace);
    EXPECT_TRUE(std::ranges::any_of(again.verdict.violations, [&](const Violation& violation) {
      return violation.clause.name == finding.violation.clause.name &&
             violation.sentence == finding.violation.sentence && violation.event == finding.violation.event;
    })) << finding.violation.sentence;
  }
}

TEST(Campaign, FindingsAreSmall) {
  for (const Finding& finding : refutation().findings) {
    if (finding.violation.clause.name == "admission") continue;  // takes a burst
    EXPECT_LE(finding.scenario.clients.size(), 2U) << describe(finding.scenario);
    EXPECT_LE(finding.scenario.faults.size(), 1U) << describe(finding.scenario);
    if (finding.violation.clause.name != "input-read") continue;
    for (const Script& script : finding.scenario.clients) EXPECT_LE(script.size(), 3U) << describe(finding.scenario);
  }
}

// -- What makes it incomplete ------------------------------------------------------------------------------------

TEST(Campaign, WhatCannotHappenMakesItIncomplete) {
  ProgramOptions patient;
  patient.session.until.wait_ms = forever_ms;
  CampaignOptions made = options("stream", 50, "idle");
  made.expectations.idle_ms = forever_ms;
  const CampaignResult result = campaign(*program_named("stream", patient), made);
  EXPECT_EQ(result.ruling, Ruling::incomplete);
  EXPECT_EQ(result.remarks,
            std::vector<std::string>{"it never happened that a deadline ends a session; more runs may show it"});
}

TEST(Campaign, NoRunsAreIncomplete) {
  const CampaignResult result = result_of("stream", 0, "none");
  EXPECT_EQ(result.ruling, Ruling::incomplete);
  EXPECT_EQ(result.remarks.back(), "nothing was run");
}

TEST(Campaign, ALookAtContentIsNoticed) {
  const Server looks = OpenSocket{{"127.0.0.1", 8888}} >> [](const Result<Socket>& opened) -> Server {
    return Listen{*opened, 8} >> [=](const Result<Endpoint>&) -> Server {
      return Accept{*opened} >> [](const Result<Socket>& accepted) -> Server {
        return Recv{accepted.value_or(Socket{}), 9, {}} >> [](const Result<Bytes>& message) {
          return ret(message && message->view() == "x" ? Result<Unit>() : Result<Unit>(failed(Errno::IO)));
        };
      };
    };
  };
  CampaignOptions made = options("stream", 20, "none");
  EXPECT_FALSE(campaign(looks, made).data_independent);
}

// -- The same again ----------------------------------------------------------------------------------------------

TEST(Campaign, TheSameSeedGivesTheSameReport) {
  const std::string once = text_of(result_of("seed", 40, "all"));
  EXPECT_EQ(text_of(result_of("seed", 40, "all")), once);
  CampaignOptions other = options("seed", 40, "all");
  other.seed = 2;
  EXPECT_NE(text_of(campaign(*program_named("seed"), other)), once);
}

TEST(Campaign, SaysHowFarItIs) {
  CampaignOptions made = options("stream", 600, "none");
  std::vector<std::string> told;
  made.progress = [&](const std::string& what) { told.push_back(what); };
  campaign(*program_named("stream"), made);
  EXPECT_EQ(told, (std::vector<std::string>{"0 of 600 runs", "256 of 600 runs", "512 of 600 runs",
                                            "looking for planted violations"}));
}

TEST(Campaign, AProgramThatLooksAtContentIsNotJudgedForAllContents) {
  const Server looks = rewrite(*program_named("stream"), []<class I>(const I& instruction) {
    if constexpr (std::same_as<I, Recv>) {
      return instruction >> [](const Result<Bytes>& message) {
        return ret(message && message->view() == "\n" ? Result<Bytes>(failed(Errno::IO)) : message);
      };
    } else {
      return Program<Net, typename I::Response>(instruction);
    }
  });
  const CampaignResult result = campaign(looks, options("stream", 300, "none"));
  EXPECT_FALSE(result.data_independent);
  EXPECT_EQ(result.ruling, Ruling::incomplete);
}

TEST(Campaign, ARunThatDoesNotRestCanBeReplayed) {
  const Server spins = rewrite(*program_named("stream"), []<class I>(const I& instruction) {
    if constexpr (std::same_as<I, Accept>) {
      return instruction >>
             [](const Result<Socket>& client) { return ret(client ? client : Result<Socket>(failed(Errno::INTR))); };
    } else {
      return Program<Net, typename I::Response>(instruction);
    }
  });
  const CampaignResult result = campaign(spins, options("stream", 30, "stop"));
  ASSERT_TRUE(result.incomplete);
  EXPECT_FALSE(simulate(spins, *result.incomplete).at_rest);
}

}  // namespace
}  // namespace antiphon::verify
