#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/verify/explored.hpp"
#include "tests/verify/history.hpp"
#include "verify/contract.hpp"
#include "verify/state_space.hpp"

/// The example of verify/README.md.

namespace antiphon::verify {

/// How many messages each process has received.
using Messages = std::map<ProcessId, int>;

struct FewMessages {
  using Witness = Messages;
  static constexpr Clause clause{"few-messages", "a session receives at most three messages"};

  void caller(const Messages& messages, const Seen& seen, Report& report) const {
    const auto found = seen.issued<Recv>() == nullptr ? messages.end() : messages.find(seen.process());
    if (found == messages.end() || found->second < 3) return;
    report.breach(clause, Party::program, "receives a fourth message");
  }
  void move(Messages& messages, const Seen& seen) const {
    const auto* const recv = seen.issued<Recv>();
    if (recv != nullptr && recv->response && *recv->response) ++messages[seen.process()];
    if (seen.ended() != nullptr) messages.erase(seen.process());  // forget what has ended
  }
};

struct SomethingSaid {
  using Witness = Messages;
  static constexpr Clause clause{"something-said", "no session ends before a message came"};

  void caller(const Messages& messages, const Seen& seen, Report& report) const {
    if (seen.ended() == nullptr || seen.process() == 0 || messages.contains(seen.process())) return;
    report.breach(clause, Party::program, "ends and has received nothing");
  }
};

struct NoNaps {
  using Witness = Nothing;
  static constexpr Clause clause{"no-naps", "nobody sleeps"};

  void caller(const Nothing&, const Seen& seen, Report& report) const {
    if (seen.issued<Sleep>() != nullptr) report.breach(clause, Party::program, "sleeps");
  }
};

inline auto polite() { return (FewMessages{} ^ SomethingSaid{}) * NoNaps{}; }

namespace {

/// The sentences in which the history breaks the contract.
template <class C>
std::vector<std::string> breaches(const C& contract, const History& history) {
  typename C::Witness witness;
  Family family;
  Report report;
  for (const Event& event : history.events) {
    const Seen seen{event, family};
    detail::caller(contract, witness, seen, report);
    detail::callee(contract, witness, seen, report);
    detail::move(contract, witness, seen);
    family.move(event);
  }
  detail::at_end(contract, witness, family, report);
  std::vector<std::string> sentences;
  for (const Breach& breach : report.breaches()) sentences.push_back(breach.sentence);
  return sentences;
}

using Sentences = std::vector<std::string>;

TEST(OwnContract, JudgesATrace) {
  History talkative = serving();
  for (int message = 0; message < 4; ++message) talkative.on(1, read(), bytes("a"));
  EXPECT_EQ(breaches(polite(), conversation()), Sentences{});
  EXPECT_EQ(breaches(polite(), talkative), Sentences{"receives a fourth message"});
  EXPECT_EQ(breaches(polite(), serving().ends(1)), Sentences{"ends and has received nothing"});
  EXPECT_EQ(breaches(polite(), serving().on(1, Sleep{1}, done()).ends(1)),
            (Sentences{"sleeps", "ends and has received nothing"}));
}

TEST(OwnContract, IsExplored) {
  ExploreOptions options;
  options.space = with_contract(NoNaps{});
  EXPECT_EQ(explore(*program_named("stream"), *scope_of({.clients = 3}), options).ruling, Ruling::holds);
  const Exploration napping = explore(*program_named("stream"), scope({.clients = 1, .faults = "accept"}), options);
  ASSERT_EQ(napping.discoveries.size(), 1U);
  EXPECT_EQ(napping.discoveries.front().breach.sentence, "sleeps");
}

}  // namespace
}  // namespace antiphon::verify
