#include "verify/contract.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/verify/history.hpp"

namespace antiphon::verify {
namespace {

/// Counts events; breaks its clause at the third and reports what it counted at the end.
template <char Letter>
struct Counts {
  using Witness = int;
  static constexpr char text[2] = {Letter, 0};
  static constexpr Clause clause{text, "at most two events"};

  void caller(int count, const Seen&, Report& report) const {
    if (count == 2) report.breach(clause, Party::program, std::string(1, Letter) + " meets a third");
  }
  void callee(int count, const Seen&, Report& report) const {
    if (count == 3) report.breach({"callee", ""}, Party::interpreter, std::string(1, Letter) + " meets a fourth");
  }
  void move(int& count, const Seen&) const { ++count; }
  void at_end(int count, const Family&, Report& report) const {
    report.breach({"end", ""}, Party::program, std::string(1, Letter) + " counted " + std::to_string(count));
  }
};

struct Silent {
  using Witness = Nothing;
  static constexpr Clause clause{"silent", "nothing"};
};

static_assert(Contract<Counts<'a'>> && Contract<Silent>);
static_assert(Contract<Product<Counts<'a'>, Silent>> && Contract<Shared<Counts<'a'>, Counts<'b'>>>);
static_assert(!Contract<int>);
static_assert(Silent::clause.name == "silent");

template <class C>
std::pair<typename C::Witness, std::vector<std::string>> shown(const C& contract, int events) {
  typename C::Witness witness{};
  const Family family;
  Report report;
  const Event event = StopEvent{};
  for (int count = 0; count < events; ++count) {
    const Seen seen{event, family};
    detail::caller(contract, witness, seen, report);
    detail::callee(contract, witness, seen, report);
    detail::move(contract, witness, seen);
  }
  detail::at_end(contract, witness, family, report);
  std::vector<std::string> sentences;
  for (const Breach& breach : report.breaches()) sentences.push_back(breach.sentence);
  return {witness, sentences};
}

TEST(Contract, AProductMovesTwoWitnesses) {
  const auto [witness, sentences] = shown(Counts<'a'>{} * Counts<'b'>{}, 2);
  EXPECT_EQ(witness, std::pair(2, 2));
  EXPECT_EQ(sentences, std::vector<std::string>{"a counted 2"});
}

TEST(Contract, ASharedWitnessMovesOnce) {
  const auto [witness, sentences] = shown(Counts<'a'>{} ^ Counts<'b'>{}, 2);
  EXPECT_EQ(witness, 2);
  EXPECT_EQ(sentences, std::vector<std::string>{"a counted 2"});
}

TEST(Contract, BothAreAskedInOrder) {
  const std::vector<std::string> expected{"a meets a third", "b meets a third", "a meets a fourth", "a counted 4"};
  EXPECT_EQ(shown(Counts<'a'>{} * Counts<'b'>{}, 4).second, expected);
  EXPECT_EQ(shown(Counts<'a'>{} ^ Counts<'b'>{}, 4).second, expected);
}

TEST(Contract, AContractMayLeaveEverythingOut) {
  EXPECT_EQ(shown(Silent{} * Counts<'b'>{}, 3).second, (std::vector<std::string>{"b meets a third", "b counted 3"}));
}

TEST(Contract, TheFirstBreachOfEachClauseIsKept) {
  Report report;
  report.breach({"x", ""}, Party::program, "one");
  report.breach({"x", ""}, Party::program, "two");
  report.breach({"y", ""}, Party::program, "three");
  ASSERT_EQ(report.breaches().size(), 2U);
  EXPECT_EQ(report.breaches()[0].sentence, "one");
  EXPECT_EQ(report.breaches()[1].sentence, "three");
}

TEST(Seen, FindsTheInstruction) {
  const Family family;
  const History history = opening();
  const Seen seen{history.events.front(), family};
  EXPECT_NE(seen.issued<DiscardChildren>(), nullptr);
  EXPECT_EQ(seen.issued<Close>(), nullptr);
  EXPECT_EQ(seen.ended(), nullptr);
  EXPECT_EQ(seen.client_event(), nullptr);
  EXPECT_EQ(seen.process(), 0U);
}

/// The connections that the last event of the history lets go of.
std::vector<ConnectionId> last_releases(const History& history) {
  Family family;
  for (std::size_t index = 0; index + 1 < history.events.size(); ++index) family.move(history.events[index]);
  return Seen(history.events.back(), family).last_releases;
}

TEST(Seen, KnowsWhoLetsGoLast) {
  EXPECT_TRUE(
      last_releases(opening().on(0, Accept{listener}, client).forks(0, 1).on(0, Close{client}, done())).empty());
  EXPECT_EQ(last_releases(serving().on(1, Close{client}, done())), std::vector<ConnectionId>{0});
  EXPECT_EQ(last_releases(serving().on(1, Close{client}, failed(Errno::IO))), std::vector<ConnectionId>{0});
  EXPECT_TRUE(last_releases(serving().waits(1, Close{client})).empty());
  EXPECT_EQ(last_releases(serving().ends(1)), std::vector<ConnectionId>{0});
  EXPECT_TRUE(last_releases(opening().on(0, Close{listener}, done())).empty());
  const History two = opening().on(0, Accept{listener}, client).on(0, Accept{listener}, Socket{2});
  EXPECT_EQ(last_releases(History(two).ends(0)), (std::vector<ConnectionId>{0, 1}));
}

TEST(InQuotes, EscapesAndLeavesOutTheMiddle) {
  EXPECT_EQ(in_quotes(""), "\"\"");
  EXPECT_EQ(in_quotes("a\n\"\\\x01\xff"), "\"a\\n\\\"\\\\\\x01\\xff\"");
  EXPECT_EQ(in_quotes(std::string(48, 'a')), '"' + std::string(48, 'a') + '"');
  EXPECT_EQ(in_quotes(std::string(24, 'a') + "bbb" + std::string(24, 'c')),
            '"' + std::string(24, 'a') + "\u2026" + std::string(24, 'c') + "\" (51 bytes)");
}

}  // namespace
}  // namespace antiphon::verify
