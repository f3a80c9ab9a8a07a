#include "verify/token.hpp"

#include <string>
#include <utility>

#include "tests/rapidcheck.hpp"
#include "tests/verify/tokens.hpp"
#include "verify/generate.hpp"

namespace antiphon::verify {
namespace {

const std::string identity = "0123456789abcdef0123456789abcdef";

Scenario some_scenario() { return draw({3, std::vector<bool>(fault_classes().size(), true)}, 5); }
std::string some_token() { return token_of(some_scenario(), "stream", identity); }

std::string error_of(std::string_view token, std::string_view program = "stream", std::string_view of = identity) {
  const auto scenario = scenario_of(token, program, of);
  return scenario ? "accepted" : scenario.error();
}

TEST(Token, IsOneWord) {
  EXPECT_EQ(token_of(Scenario(0), "stream", identity), "a3-stream-0123456789ab-AAAAAAAAAACAIIABgAiACA-41e756dc");
  EXPECT_EQ(some_token().find_first_of(" \n\t\"'$&|;<>*?"), std::string::npos);
}

TEST(Token, GivesTheScenarioBack) {
  EXPECT_TRUE(holds(
      [](std::uint64_t seed, bool faulty, std::uint32_t chooser) {
        Scenario scenario = draw({4, std::vector<bool>(fault_classes().size(), faulty)}, seed);
        scenario.seed = chooser % 2 == 0 ? 0 : seed;
        const auto again = scenario_of(token_of(scenario, "stream", identity), "stream", identity);
        RC_ASSERT(again.has_value());
        RC_ASSERT(*again == scenario);
      },
      500));
}

TEST(Token, AnyOtherCharacterIsNoticed) {
  const std::string token = some_token();
  for (std::size_t at = 0; at < token.size(); ++at) {
    for (const char other : {'A', 'b', '7', '-', '_', '.', ' ', '\0', '\xff'}) {
      if (token[at] == other) continue;
      std::string changed = token;
      changed[at] = other;
      EXPECT_NE(error_of(changed), "accepted") << changed;
    }
  }
}

TEST(Token, AMissingOrAdditionalCharacterIsNoticed) {
  const std::string token = some_token();
  for (std::size_t at = 0; at < token.size(); ++at) {
    EXPECT_NE(error_of(std::string(token).erase(at, 1)), "accepted") << at;
    EXPECT_NE(error_of(std::string(token).insert(at, 1, 'A')), "accepted") << at;
    EXPECT_NE(error_of(token.substr(0, at)), "accepted") << at;
  }
  EXPECT_NE(error_of(token + 'A'), "accepted");
  EXPECT_NE(error_of(token + token), "accepted");
}

TEST(Token, TwoSwappedCharactersAreNoticed) {
  const std::string token = some_token();
  for (std::size_t at = 0; at + 1 < token.size(); ++at) {
    if (token[at] == token[at + 1]) continue;
    std::string swapped = token;
    std::swap(swapped[at], swapped[at + 1]);
    EXPECT_NE(error_of(swapped), "accepted") << at;
  }
}

TEST(Token, SaysWhatDoesNotMatch) {
  const std::string token = some_token();
  EXPECT_EQ(error_of(""), "the replay token is garbled: it has 0 parts where 5 are due");
  EXPECT_EQ(error_of("hello"), "the replay token is garbled: it has 1 parts where 5 are due");
  EXPECT_EQ(error_of(token + "-x"), "the replay token is garbled: it has 6 parts where 5 are due");
  EXPECT_EQ(error_of("a2" + token.substr(2)), "the replay token is of version 'a2', not a3");
  EXPECT_EQ(error_of(token.substr(0, token.size() - 1) + 'x'),
            "the replay token is garbled: its checksum does not match");
  EXPECT_EQ(error_of(token, "once"), "the replay token is of program 'stream', not 'once'");
  EXPECT_EQ(error_of(token, "stream", "ffff456789abcdef"),
            "the replay token is of another version of program 'stream': 0123456789ab, not ffff456789ab");
}

TEST(Token, AGoodChecksumDoesNotMakeAScenario) {
  const auto scenario = [](std::string_view text) {
    return error_of(with_checksum("a3-stream-0123456789ab-" + std::string(text)));
  };
  EXPECT_EQ(scenario(""), "the replay token is garbled: its scenario does not read");
  EXPECT_EQ(scenario("AAAA"), "the replay token is garbled: its scenario does not read");
  EXPECT_EQ(scenario("A?AA"), "the replay token is garbled: a stray character");
  EXPECT_EQ(scenario("AAAAAAAAAACAIIABgAiACA"), "accepted");
  EXPECT_EQ(scenario("AAAAAAAAAACAIIABgAiACA_"), "the replay token is garbled: a stray end");
  EXPECT_EQ(scenario("AAAAAAAAAACAIIABgAiACAAA"), "the replay token is garbled: its scenario does not read");
}

TEST(Token, AHugeCountAsksForNoMemory) {
  // Seed 0, and then: 999,999 clients, 1,000,000 of them, 2^63, one with 999,999 actions. None of them is there.
  for (const std::string_view counts :
       {"AL_EPQ", "AMCEPQAAAACAIIABgAiACA", "AICAgICAgICAgAE", "AAG.hD0AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    EXPECT_EQ(error_of(with_checksum("a3-stream-0123456789ab-" + std::string(counts))),
              "the replay token is garbled: its scenario does not read")
        << counts;
  }
}

TEST(Token, AddressesStandInItWhereThereAreSeveral) {
  const auto text = [](const char* addresses) {
    return error_of(with_checksum("a3-stream-0123456789ab-AAAAAAAAAACAIIABgAiAC" + std::string(addresses)));
  };
  EXPECT_EQ(text("AI"), "accepted");
  // One is said by saying nothing, and none are too few.
  EXPECT_EQ(text("AE"), "the replay token is garbled: its scenario does not read");
  EXPECT_EQ(text("AA"), "the replay token is garbled: its clients have no addresses, or too many");
  Scenario scenario(0);
  for (const std::uint32_t addresses : {2U, 256U}) {
    scenario.addresses = addresses;
    const auto again = scenario_of(token_of(scenario, "stream", identity), "stream", identity);
    ASSERT_TRUE(again) << addresses;
    EXPECT_EQ(*again, scenario);
  }
  scenario.addresses = 257;
  EXPECT_EQ(error_of(token_of(scenario, "stream", identity)),
            "the replay token is garbled: its clients have no addresses, or too many");
}

TEST(Token, MoreThanARunCanHoldIsRefused) {
  Scenario scenario(0);
  scenario.clients.assign(4, {script::Connect{}, script::Send{1U << 26U}});
  EXPECT_EQ(error_of(token_of(scenario, "stream", identity)), "accepted");
  scenario.clients[3].emplace_back(script::Send{1});
  EXPECT_EQ(error_of(token_of(scenario, "stream", identity)), "the replay token is garbled: its clients send too much");
}

TEST(Token, OneNumberIsWrittenOneWay) {
  // The seed as 0x80 0x00, which is 0 in two bytes.
  EXPECT_EQ(error_of(with_checksum("a3-stream-0123456789ab-gAAAAAAAAAACAIIABgAiACA")),
            "the replay token is garbled: its scenario does not read");
}

}  // namespace
}  // namespace antiphon::verify
