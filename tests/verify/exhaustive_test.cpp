#include "verify/exhaustive.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <concepts>
#include <string_view>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "core/programs/tcp_server.hpp"
#include "core/rewrite.hpp"
#include "tests/verify/history.hpp"
#include "tests/verify/mutants_named.hpp"
#include "verify/explorer.hpp"
#include "verify/planted.hpp"

namespace antiphon::verify {
namespace {

MutationOptions options(Answers answers = Answers::everything) {
  MutationOptions made;
  made.runs = 300;
  made.expectations = expectations(answers);
  return made;
}

TEST(Exhaustive, TheCatalogueIsExploredToItsEnd) {
  for (const std::string_view program : program_names) {
    ExploreOptions asked;
    asked.expectations = expectations(program == "once" ? Answers::first_message : Answers::everything);
    asked.most_memory = std::uint64_t{16} << 20U;
    for (const Scope& scope : scopes_for_mutants()) {
      const Exploration explored = explore(*program_named(program), scope, asked);
      EXPECT_TRUE(explored.closed) << program;
      EXPECT_TRUE(explored.remarks.empty()) << program;
    }
  }
}

/// An answer that could not be sent, for its client did not read: the session goes on as if it was.
TEST(Exhaustive, KillsAloneWhatGoesOnAfterACutAnswer) {
  const Server original = *program_named("once");
  const Mutant bad = mutant_named("once", "#9 Send", "takes Expired, Stopping, any other error for all sent");
  const MutationOptions asked = options(Answers::first_message);
  const Opinion opinion = exhaustive(asked).judge(original, bad);
  EXPECT_EQ(opinion.fate, Fate::killed);
  EXPECT_EQ(opinion.clause, "idle-limit");
  EXPECT_GT(opinion.scenarios, 0U);
  for (const Strategy& other : {same_trees(), failing_starts(asked), random_scenarios(asked)}) {
    EXPECT_EQ(other.judge(original, bad).fate, Fate::survived) << other.name;
  }
}

TEST(Exhaustive, WhatTheOriginalBreaksKillsNobody) {
  const Strategy strategy = exhaustive(options());
  const Server seed = *program_named("seed");
  EXPECT_EQ(strategy.judge(seed, as_mutant(seed)).fate, Fate::survived);
  EXPECT_EQ(strategy.judge(*program_named("stream"), as_mutant(seed)).fate, Fate::killed);
  EXPECT_EQ(strategy.judge(seed, as_mutant(seed)).fate, Fate::survived);
}

TEST(Exhaustive, AMutantThatIsNotExploredToItsEndIsNotKilledByThat) {
  const Server curious = rewrite(*program_named("stream"), []<class I>(const I& instruction) {
    using Response = typename I::Response;
    return map(instruction, [](const Response& response) {
      if constexpr (std::same_as<I, Recv>) {
        if (response && response->view() == "x") return Response(failed(Errno::INTR));
      }
      return response;
    });
  });
  EXPECT_EQ(exhaustive(options()).judge(*program_named("stream"), as_mutant(curious)).fate, Fate::survived);
}

/// Nothing is known of a server that looks at content: what it breaks with another content, for one.
TEST(Exhaustive, AnOriginalThatIsNotExploredToItsEndKillsNobody) {
  const Server curious = tcp_server(ServerOptions{}, [](Socket client) -> Program<Net, Unit> {
    return Recv{client, 16, until} >> [=](const Result<Bytes>& got) -> Program<Net, Unit> {
      if (got && got->view() == "x") return ret(Unit{});
      return ignore(Close{client});
    };
  });
  const std::vector<Planted> planted = planted_violations();
  const auto bad = std::ranges::find(planted, "echo", &Planted::clause);
  EXPECT_EQ(exhaustive(options()).judge(*program_named("stream"), as_mutant(bad->server)).fate, Fate::killed);
  EXPECT_EQ(exhaustive(options()).judge(curious, as_mutant(bad->server)).fate, Fate::survived);
}

}  // namespace
}  // namespace antiphon::verify
