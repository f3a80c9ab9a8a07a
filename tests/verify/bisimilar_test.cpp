#include "verify/bisimilar.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "tests/verify/mutants_named.hpp"
#include "verify/comparison.hpp"

namespace antiphon::verify {
namespace {

constexpr std::string_view twice = "is issued twice, and the last response counts";

std::vector<std::string> names_of(const Server& server) {
  std::vector<std::string> names;
  for (const Mutant& one : mutants_of(server)) names.push_back(name_of(one));
  return names;
}

Fate fate_of(std::string_view program, std::string_view node, std::string_view text) {
  static const Strategy strategy = bisimilar();
  return strategy.judge(*program_named(program), mutant_named(program, node, text)).fate;
}

TEST(Bisimilar, ASmallServerHasMutantsOfTheSameNames) {
  for (const std::string_view program : program_names) {
    const Server large = *program_named(program);
    std::vector<std::string> names = names_of(large);
    EXPECT_EQ(names_of(with_small_buffers(large)), names) << program;
    std::ranges::sort(names);
    EXPECT_EQ(std::ranges::adjacent_find(names), names.end()) << program;
  }
}

TEST(Bisimilar, WhatNobodySeesIsProved) {
  EXPECT_EQ(fate_of("stream", "#1 DiscardChildren", twice), Fate::equivalent);
  EXPECT_EQ(fate_of("stream", "#12 Sleep", twice), Fate::equivalent);
  EXPECT_EQ(fate_of("stream", "#8 Recv", "asks for one byte less"), Fate::equivalent);
  EXPECT_EQ(fate_of("once", "#10 ShutdownSend", twice), Fate::equivalent);
  EXPECT_EQ(fate_of("once", "#11 Recv", "asks for one byte less"), Fate::equivalent);
}

TEST(Bisimilar, WhatSomebodySeesIsNot) {
  EXPECT_EQ(fate_of("once", "#8 Recv", "asks for one byte less"), Fate::survived);
  EXPECT_EQ(fate_of("seed", "#6 Recv", "asks for one byte more"), Fate::survived);
  EXPECT_EQ(fate_of("stream", "#8 Recv", "takes EAGAIN, ENOMEM, ENOBUFS for end of input"), Fate::survived);
  EXPECT_EQ(fate_of("stream", "#1 DiscardChildren", "takes any error for ok"), Fate::survived);
}

/// It cannot be connected to port 9 in any of the scopes, so nobody knows what the two would do if it was.
TEST(Bisimilar, NothingIsSaidOfAnswersThatNeverCame) {
  const Server original =
      Connect{{"127.0.0.1", 9}, {}} >> [](const Result<Socket>&) { return *program_named("stream"); };
  const std::vector<Mutant> all = mutants_of(original);
  const auto again = std::ranges::find(all, twice, &Mutant::text);
  ASSERT_NE(again, all.end());
  EXPECT_EQ(again->instruction, "Connect");
  const Opinion opinion = bisimilar().judge(original, *again);
  EXPECT_EQ(opinion.fate, Fate::survived);
  EXPECT_EQ(opinion.scenarios, scopes_for_proofs().size());
  for (const Scope& scope : {scopes_for_proofs().front(), scopes_for_proofs().back()}) {
    EXPECT_EQ(compare(original, again->server, scope, {}).ruling, Ruling::holds);
  }
}

TEST(Bisimilar, NothingIsSaidOfWhatIsNoMutant) {
  const Server server = *program_named("stream");
  const Opinion opinion = bisimilar().judge(server, as_mutant(server));
  EXPECT_EQ(opinion.fate, Fate::survived);
  EXPECT_EQ(opinion.scenarios, 0U);
}

}  // namespace
}  // namespace antiphon::verify
