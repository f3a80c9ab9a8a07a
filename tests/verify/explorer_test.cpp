#include "verify/explorer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <concepts>
#include <initializer_list>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "core/programs/seed.hpp"
#include "core/rewrite.hpp"
#include "interpreters/random.hpp"
#include "interpreters/simulated.hpp"
#include "verify/campaign.hpp"
#include "verify/echo_contract.hpp"
#include "verify/generate.hpp"
#include "verify/mutants.hpp"
#include "verify/planted.hpp"
#include "verify/scope.hpp"
#include "verify/state_space.hpp"

namespace antiphon::verify {
namespace {

Expectations expectations(Answers answers = Answers::everything) {
  const ProgramOptions options;
  return {answers, options.session.until.wait_ms, options.session.until.drain_ms, options.server.max_connections,
          static_cast<std::int64_t>(options.session.at_most)};
}

struct Asked {
  std::uint32_t clients = 2;
  std::uint32_t messages = 1;
  std::uint32_t size = 1;
  bool any = false;
  std::string faults = "none";
  bool catalogue_only = false;  ///< Without the planted violations.

  friend std::ostream& operator<<(std::ostream& out, const Asked& asked) { return out << asked.faults; }
};

Scope scope(const Asked& asked) {
  ScopeRequest request;
  request.clients = asked.clients;
  request.messages = asked.messages;
  request.any_messages = asked.any;
  request.size = asked.size;
  request.faults = *faults_named(asked.faults);
  return *scope_of(request);
}

Exploration explored(const Server& server, const Scope& scope, Reductions reductions = {},
                     Order order = Order::depth_first, Answers answers = Answers::everything) {
  ExploreOptions options;
  options.reductions = reductions;
  options.order = order;
  options.expectations = expectations(answers);
  return explore(server, scope, options);
}

std::set<std::string_view> clauses(const Exploration& exploration) {
  std::set<std::string_view> names;
  for (const Discovery& one : exploration.discoveries) names.insert(one.breach.clause.name);
  return names;
}

/// Those that a search in that order can find too.
std::set<std::string_view> clauses_of(const Exploration& plain, Order order) {
  std::set<std::string_view> names = clauses(plain);
  if (order == Order::breadth_first) names.erase(Served::clause.name);
  return names;
}

constexpr Reductions nothing{.partial_order = false, .symmetry = false};
constexpr Reductions partial_order{.partial_order = true, .symmetry = false};
constexpr Reductions symmetry{.partial_order = false, .symmetry = true};
constexpr Reductions everything{.partial_order = true, .symmetry = true};

TEST(Explorer, ClosesOverTheStream) {
  const Exploration result = explored(*program_named("stream"), scope({}));
  EXPECT_EQ(result.ruling, Ruling::holds);
  EXPECT_TRUE(result.closed);
  EXPECT_GT(result.states, 50U);
  EXPECT_EQ(result.rests, 1U);
  EXPECT_LT(result.missed, 1e-20);
}

TEST(Explorer, ClosesOverConversationsOfAnyLength) {
  const Exploration result = explored(*program_named("stream"), scope({.clients = 1, .size = 2, .any = true}));
  EXPECT_EQ(result.ruling, Ruling::holds);
  EXPECT_TRUE(result.closed);
}

TEST(Explorer, TheSameScopeGivesTheSameResult) {
  const Exploration one = explored(*program_named("once"), scope({}));
  const Exploration other = explored(*program_named("once"), scope({}));
  EXPECT_EQ(one.states, other.states);
  EXPECT_EQ(one.transitions, other.transitions);
}

TEST(Explorer, SaysThatItIsIncompleteWhenTheMemoryIsFull) {
  ExploreOptions options;
  options.expectations = expectations();
  options.most_memory = 40'000;
  options.reductions = nothing;
  const Exploration result = explore(*program_named("stream"), scope({.clients = 3}), options);
  EXPECT_EQ(result.ruling, Ruling::incomplete);
  EXPECT_FALSE(result.closed);
  EXPECT_GT(result.frontier, 0U);
}

TEST(Explorer, SeveralThreadsFillTheMemoryToo) {
  ExploreOptions options;
  options.expectations = expectations();
  options.most_memory = 10'000'000;
  options.reductions = nothing;
  options.threads = 2;
  options.fresh = [] { return *program_named("stream"); };
  const Exploration result = explore(*program_named("stream"), scope({.clients = 3, .messages = 2}), options);
  EXPECT_EQ(result.ruling, Ruling::incomplete);
  EXPECT_FALSE(result.closed);
  EXPECT_GT(result.frontier, 0U);
}

TEST(Explorer, AScopeThatIsTooLargeIsSaidToBe) {
  Scope large = scope({.clients = 2});
  large.scenario.clients.assign(40, large.scenario.clients.front());
  ExploreOptions options;
  options.expectations = expectations();
  options.fresh = [] { return *program_named("stream"); };
  for (options.threads = 1; options.threads <= 4; ++options.threads) {
    const Exploration result = explore(*program_named("stream"), large, options);
    EXPECT_EQ(result.ruling, Ruling::incomplete);
    EXPECT_FALSE(result.closed);
    EXPECT_EQ(result.endless, EndlessRuns::not_judged);
    ASSERT_FALSE(result.remarks.empty());
    EXPECT_NE(result.remarks.front().find("the scope is too large"), std::string::npos) << result.remarks.front();
  }
}

/// How many have ended. (A real one would forget.)
struct Ends {
  static constexpr About about = About::door;
  std::uint32_t count = 0;
  static constexpr std::tuple fields{Field{"count", &Ends::count}};
};

struct OneEndsAtMost {
  using Witness = Parts<Ends>;
  static constexpr Clause clause{"one-ends", "no second session ends"};

  void caller(const Witness& ends, const Seen& seen, Report& report) const {
    if (seen.ended() == nullptr || ends.find(0) == nullptr) return;
    report.breach(clause, Party::program, "is the second to end");
  }
  void move(Witness& ends, const Seen& seen) const {
    if (seen.ended() != nullptr) ++ends.edit(0).count;
  }
};

TEST(Explorer, HoldsAProgramToAnyContract) {
  ExploreOptions options;
  options.space = with_contract(OneEndsAtMost{});
  const Server server = *program_named("stream");
  const Exploration one = explore(server, scope({.clients = 1}), options);
  EXPECT_EQ(one.ruling, Ruling::holds);
  for (const Order order : {Order::depth_first, Order::breadth_first, Order::random}) {
    options.order = order;
    options.runs = 100;
    const Exploration two = explore(server, scope({.clients = 2}), options);
    ASSERT_EQ(two.discoveries.size(), 1U);
    EXPECT_EQ(two.discoveries.front().breach.clause.name, "one-ends");
  }
  options.order = Order::depth_first;
  options.threads = 2;
  options.fresh = [] { return *program_named("stream"); };
  EXPECT_EQ(explore(server, scope({.clients = 2}), options).discoveries.size(), 1U);
}

TEST(Explorer, EightClientsAreNotTooMany) {
  const Exploration result = explored(*program_named("stream"), scope({.clients = 8, .messages = 0}));
  EXPECT_EQ(result.ruling, Ruling::holds);
}

/// The tables count too, not only the states.
TEST(Explorer, LargeMessagesFillTheMemory) {
  ScopeRequest request;
  request.clients = 1;
  request.messages = 2;
  request.size = 40;
  request.capacity = 40;
  ExploreOptions options;
  options.expectations = expectations();
  options.most_memory = 4'000'000;
  const Exploration result = explore(*program_named("stream"), *scope_of(request), options);
  EXPECT_FALSE(result.closed);
  EXPECT_EQ(result.ruling, Ruling::incomplete);
}

/// What ends only by a deadline that waits for all to be quiet, or not at all, is not called judged.
TEST(Explorer, WhatIsNotJudgedIsNotSaidToHold) {
  for (const Planted& planted : planted_violations()) {
    if (planted.clause != Served::clause.name) continue;
    for (const std::uint32_t threads : {1U, 2U}) {
      ExploreOptions options;
      options.expectations = expectations();
      options.order = threads == 1 ? Order::breadth_first : Order::depth_first;
      options.threads = threads;
      const std::string_view defect = planted.defect;
      options.fresh = [defect] {
        const auto all = planted_violations();
        return std::ranges::find(all, defect, &Planted::defect)->server;
      };
      const Exploration result = explore(planted.server, scope({.clients = 1}), options);
      EXPECT_EQ(result.endless, EndlessRuns::not_judged);
      EXPECT_NE(result.ruling == Ruling::holds, result.rests == 0) << planted.defect;
    }
  }
}

TEST(Explorer, WhatOneOfSeveralThreadsFindsReplays) {
  const Scope small = scope({.clients = 2, .faults = "interrupts,accept,reset"});
  ExploreOptions options;
  options.expectations = expectations();
  options.threads = 2;
  options.fresh = seed::echo_server;
  const Exploration result = explore(seed::echo_server(), small, options);
  EXPECT_GE(result.discoveries.size(), 4U);
  for (const Discovery& one : result.discoveries) {
    const Scenario scenario = scenario_of(seed::echo_server(), small.scenario, one.path);
    const Judged judged = run_and_judge(seed::echo_server(), scenario, expectations());
    EXPECT_NE(violation_of(judged.verdict, one.breach.clause.name), nullptr) << one.breach.clause.name;
  }
}

TEST(Explorer, NeedsContentThatNobodyLooksAt) {
  const Server server = tcp_server(ServerOptions{}, [](Socket client) -> Program<Net, Unit> {
    return Recv{client, 16, {}} >> [=](const Result<Bytes>& got) -> Program<Net, Unit> {
      if (got && got->view() == "x") return ret(Unit{});
      return ignore(Close{client});
    };
  });
  const Exploration result = explored(server, scope({.clients = 1}));
  EXPECT_NE(result.ruling, Ruling::holds);
  ASSERT_FALSE(result.remarks.empty());
  EXPECT_NE(result.remarks.front().find("looks at the content"), std::string::npos);
}

/// The runs that a discovery leads to break its clause: what is explored is what is simulated.
TEST(Explorer, EveryDiscoveryReplays) {
  const Scope small = scope({.clients = 2, .faults = "interrupts,accept,reset"});
  const Exploration result = explored(seed::echo_server(), small);
  EXPECT_GE(result.discoveries.size(), 4U);
  for (const Discovery& one : result.discoveries) {
    const Scenario scenario = scenario_of(seed::echo_server(), small.scenario, one.path);
    const Judged judged = run_and_judge(seed::echo_server(), scenario, expectations());
    EXPECT_NE(violation_of(judged.verdict, one.breach.clause.name), nullptr) << one.breach.clause.name;
  }
}

/// What is wrong with the original, as exploration shows it: each on a screen.
TEST(Explorer, RefutesTheOriginalRowByRow) {
  const std::pair<std::string_view, Asked> rows[] = {
      {"reaped", {.clients = 1}},                              // 1
      {"idle-limit", {.clients = 1}},                          // 2
      {"input-read", {.clients = 1, .messages = 2}},           // 3 and 4
      {"delivered", {.clients = 1, .messages = 2}},            // 4
      {"admission", {.clients = 3, .messages = 0}},            // 5
      {"handled", {.clients = 1, .faults = "reset"}},          // 6
      {"acceptor-lives", {.clients = 1, .faults = "accept"}},  // 7
      {"acceptor-lives", {.clients = 1, .faults = "fork"}},    // 7
      {"answered", {.clients = 1, .faults = "interrupts"}},    // 8
      {"own-connection", {.clients = 1}},                      // 9
      {"drained", {.clients = 1, .faults = "stop"}},           // 10
  };
  const Server original = seed::echo_server();
  for (const auto& [clause, asked] : rows) {
    SCOPED_TRACE(testing::Message() << clause << ", faults " << asked.faults);
    const Scope small = scope(asked);
    const Exploration result = explored(original, small);
    const auto found =
        std::ranges::find(result.discoveries, clause, [](const Discovery& one) { return one.breach.clause.name; });
    ASSERT_NE(found, result.discoveries.end());
    const Finding finding =
        minimised(original, expectations(), scenario_of(original, small.scenario, found->path), clause);
    EXPECT_LE(finding.trace.size(), 40U);
  }
}

TEST(Explorer, BreadthFirstFindsTheShortestWay) {
  const Server server = seed::echo_server();
  const Exploration deep = explored(server, scope({}), nothing);
  const Exploration broad = explored(server, scope({}), nothing, Order::breadth_first);
  ASSERT_EQ(clauses(deep), clauses(broad));
  for (const Discovery& shortest : broad.discoveries) {
    for (const Discovery& one : deep.discoveries) {
      if (one.breach.clause.name != shortest.breach.clause.name) continue;
      EXPECT_LE(shortest.path.size(), one.path.size()) << one.breach.clause.name;
    }
  }
}

// -- reductions are sound: they give the verdicts, and the states at rest, of a search without them -------------------

struct Specimen {
  std::string name;
  Server server;
  Answers answers = Answers::everything;
};

std::vector<Specimen> specimens(bool catalogue_only) {
  std::vector<Specimen> all{{"stream", *program_named("stream")},
                            {"once", *program_named("once"), Answers::first_message},
                            {"seed", seed::echo_server()}};
  if (catalogue_only) return all;
  for (const Planted& planted : planted_violations(ProgramOptions{})) {
    all.push_back({std::string(planted.clause), planted.server, planted.answers});
  }
  return all;
}

class Soundness : public testing::TestWithParam<Asked> {};

std::string name_of(const testing::TestParamInfo<Asked>& info) {
  std::string faults = info.param.faults;
  std::ranges::replace(faults, ',', '_');
  return "clients_" + std::to_string(info.param.clients) + "_messages_" +
         (info.param.any ? "any" : std::to_string(info.param.messages)) + "_faults_" + faults;
}

TEST_P(Soundness, OfEveryReduction) {
  const Scope small = scope(GetParam());
  for (const Specimen& specimen : specimens(GetParam().catalogue_only)) {
    SCOPED_TRACE(specimen.name);
    const Exploration plain = explored(specimen.server, small, nothing, Order::depth_first, specimen.answers);
    ASSERT_TRUE(plain.closed) << plain.states;
    for (const Reductions reductions : {partial_order, symmetry, everything}) {
      SCOPED_TRACE(testing::Message() << "por " << reductions.partial_order << ", symmetry " << reductions.symmetry);
      for (const Order order : {Order::depth_first, Order::breadth_first}) {
        const Exploration reduced = explored(specimen.server, small, reductions, order, specimen.answers);
        EXPECT_TRUE(reduced.closed);
        if (order == Order::depth_first) {
          EXPECT_EQ(reduced.ruling, plain.ruling);
        }
        EXPECT_EQ(clauses(reduced), clauses_of(plain, order));
        EXPECT_LE(reduced.states, plain.states);
        if (!reductions.symmetry) {
          EXPECT_EQ(reduced.rests, plain.rests);
        }
      }
    }
  }
}

TEST_P(Soundness, OfSeveralThreads) {
  const Scope small = scope(GetParam());
  for (const std::string_view name : {"stream", "once", "seed"}) {
    SCOPED_TRACE(name);
    ExploreOptions options;
    options.expectations = expectations(name == "once" ? Answers::first_message : Answers::everything);
    options.reductions = nothing;
    const Exploration plain = explore(*program_named(name), small, options);
    options.threads = 3;
    options.fresh = [name] { return *program_named(name); };
    const Exploration shared = explore(*program_named(name), small, options);
    EXPECT_EQ(shared.states, plain.states);
    EXPECT_EQ(shared.transitions, plain.transitions);
    EXPECT_EQ(shared.rests, plain.rests);
    EXPECT_EQ(shared.ruling, plain.ruling);
    EXPECT_EQ(clauses(shared), clauses(plain));
    options.reductions = everything;
    const Exploration reduced = explore(*program_named(name), small, options);
    EXPECT_TRUE(reduced.closed);
    EXPECT_EQ(reduced.ruling, plain.ruling);
    EXPECT_EQ(clauses(reduced), clauses(plain));
    EXPECT_LE(reduced.states, plain.states);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Explorer, Soundness,
    testing::Values(Asked{.clients = 1, .messages = 2, .size = 2}, Asked{.clients = 2},
                    Asked{.clients = 1, .size = 1, .any = true, .catalogue_only = true},
                    Asked{.clients = 2, .messages = 0, .faults = "reset"},
                    Asked{.clients = 1, .faults = "interrupts,accept,fork,close"},
                    Asked{.clients = 1, .faults = "idle"}, Asked{.clients = 1, .faults = "stop"},
                    Asked{.clients = 2, .messages = 0, .faults = "limits"},
                    Asked{.clients = 2, .messages = 0, .faults = "interrupts,accept", .catalogue_only = true}),
    name_of);

/// What goes on for ever is shown as a way and what comes again after it, and runs so.
TEST(Explorer, ACircleInWhichAClientWaitsReplays) {
  std::size_t circles = 0;
  for (const auto& [two, reductions] :
       {std::pair(scope({.clients = 2}), nothing), std::pair(scope({.clients = 2}), everything),
        std::pair(scope({.clients = 2, .any = true, .faults = "stop"}), symmetry)}) {
    for (const Planted& planted : planted_violations()) {
      if (planted.clause != Served::clause.name) continue;
      SCOPED_TRACE(planted.defect);
      const Exploration result = explored(planted.server, two, reductions);
      const auto found = std::ranges::find(result.discoveries, planted.clause,
                                           [](const Discovery& one) { return one.breach.clause.name; });
      ASSERT_NE(found, result.discoveries.end());
      ASSERT_FALSE(found->lap.empty());
      const Scenario scenario = scenario_of(planted.server, two.scenario, found->path, found->lap);
      const Judged judged = run_and_judge(planted.server, scenario, expectations());
      EXPECT_TRUE(judged.run.lap_from);
      const Violation* const violation = violation_of(judged.verdict, planted.clause);
      ASSERT_NE(violation, nullptr);
      EXPECT_EQ(violation->sentence, found->breach.sentence);
      ++circles;
    }
  }
  EXPECT_EQ(circles, 6U);
}

/// A server that serves one client after the other: whoever talks on keeps the next one out for ever.
TEST(Explorer, AClientMayStarveBehindOneThatTalksOn) {
  const Server server = rewrite(*program_named("stream"), []<class I>(const I& instruction) {
    using Answer = Program<Net, typename I::Response>;
    if constexpr (std::same_as<I, Fork>) {
      return instruction >> [](const Result<Forked>& forked) -> Answer {
        if (!forked || std::holds_alternative<Child>(*forked)) return ret(forked);
        return Sleep{1} >> [=](const Result<Unit>&) { return ret(forked); };
      };
    } else {
      return Answer(instruction);
    }
  });
  const Exploration fair = explored(server, scope({.clients = 2, .size = 1, .any = true}));
  EXPECT_FALSE(clauses(fair).contains(Served::clause.name));  // who sleeps wakes up

  const auto serve_oneself = rewrite(*program_named("stream"), []<class I>(const I& instruction) {
    using Answer = Program<Net, typename I::Response>;
    if constexpr (std::same_as<I, Fork>) {
      return Answer(ret(Result<Forked>(Child{})));
    } else if constexpr (std::same_as<I, Close>) {
      return instruction.socket.number == 0 ? Answer(ret(Result<Unit>())) : Answer(instruction);
    } else {
      return Answer(instruction);
    }
  });
  const Exploration starving = explored(serve_oneself, scope({.clients = 2, .size = 1, .any = true}), nothing);
  const auto found = std::ranges::find(starving.discoveries, Served::clause.name,
                                       [](const Discovery& one) { return one.breach.clause.name; });
  ASSERT_NE(found, starving.discoveries.end());
  EXPECT_NE(found->breach.sentence.find(" is never accepted"), std::string::npos) << found->breach.sentence;
}

/// Programs that nobody thought of, some of which go round for ever.
TEST(Explorer, MutantsAreReducedSoundly) {
  const Scope two = scope({.clients = 2});
  std::size_t number = 0;
  for (const Mutant& mutant : mutants_of(*program_named("stream"))) {
    if (number++ % 2 != 0) continue;  // for the sake of time
    SCOPED_TRACE(name_of(mutant));
    const Exploration plain = explored(mutant.server, two, nothing);
    const Exploration reduced = explored(mutant.server, two, everything);
    EXPECT_EQ(clauses(reduced), clauses(plain));
    EXPECT_EQ(reduced.ruling, plain.ruling);
  }
}

TEST(Explorer, PartialOrderPays) {
  const Scope two = scope({.clients = 2, .messages = 2, .size = 1});
  const Exploration plain = explored(*program_named("stream"), two, nothing);
  const Exploration reduced = explored(*program_named("stream"), two, everything);
  EXPECT_LT(20 * reduced.states, plain.states);
}

TEST(Explorer, ClientsThatDoOtherThingsAreNotAlike) {
  Scope mixed = scope({.clients = 2});
  mixed.scenario.clients.back().insert(mixed.scenario.clients.back().begin() + 1, script::Send{1});
  const Server server = *program_named("stream");
  EXPECT_EQ(explored(server, mixed, symmetry).states, explored(server, mixed, nothing).states);
  EXPECT_LT(explored(server, scope({}), symmetry).states, explored(server, scope({}), nothing).states);
}

/// Whether there is room for one more depends on whose sessions have ended: no client may have its turn for itself.
TEST(Explorer, ALimitOfProcessesConcernsAll) {
  const Server server = rewrite(*program_named("stream"), []<class I>(const I& instruction) {
    using Answer = Program<Net, typename I::Response>;
    if constexpr (std::same_as<I, Fork>) {
      // Who cannot fork serves the client itself.
      return Answer(
          map(instruction, [](const Result<Forked>& forked) { return forked ? forked : Result<Forked>(Child{}); }));
    } else {
      return Answer(instruction);
    }
  });
  const Scope limited = scope({.clients = 2, .messages = 0, .faults = "limits"});
  const Exploration reduced = explored(server, limited, everything);
  EXPECT_FALSE(reduced.discoveries.empty());
  EXPECT_EQ(clauses(reduced), clauses(explored(server, limited, nothing)));
  ASSERT_EQ(reduced.notes.size(), 1U);
  EXPECT_NE(reduced.notes.front().find("the number of processes is limited"), std::string::npos);
}

/// Whether a child's end is waited for then hangs on who is faster.
TEST(Explorer, AnAcceptorThatDiscardsLateConcernsItsChildren) {
  const Server server = rewrite(*program_named("stream"), []<class I>(const I& instruction) {
    using Answer = Program<Net, typename I::Response>;
    if constexpr (std::same_as<I, DiscardChildren>) {
      return Answer(ret(Result<Unit>()));
    } else if constexpr (std::same_as<I, Accept>) {
      return instruction >> [](const Result<Socket>& client) -> Answer {
        return DiscardChildren{} >> [=](const Result<Unit>&) { return ret(client); };
      };
    } else {
      return Answer(instruction);
    }
  });
  const Scope two = scope({.clients = 2});
  const Exploration reduced = explored(server, two, everything);
  EXPECT_EQ(clauses(reduced), clauses(explored(server, two, nothing)));
  ASSERT_EQ(reduced.notes.size(), 1U);
  EXPECT_NE(reduced.notes.front().find("leaves its children alone"), std::string::npos);
}

struct Count {
  std::int64_t clients = 0;

  static constexpr std::tuple fields{Field{"clients", &Count::clients}};
  bool operator==(const Count&) const = default;
};

/// Sessions that do nothing but sleep, for ever. The acceptor closes its second client twice.
Server sleepers() {
  using Turn = Step<Count, Result<Unit>>;
  using Turns = Program<Net, Turn>;
  const auto session = [](Socket listener) -> Turns {
    return Close{listener} >> [](const Result<Unit>&) {
      return iter(Unit{},
                  [](const Unit&) {
                    return Sleep{1} >> [](const Result<Unit>&) { return ret(Step<Unit, Unit>{Continue{Unit{}}}); };
                  }) >>
             [](const Unit&) { return ret(Turn{Break{Result<Unit>()}}); };
    };
  };
  const auto acceptor = [=](Socket listener) {
    return iter(Count{}, [=](const Count& served) {
      return Accept{listener} >> [=](const Result<Socket>& client) -> Turns {
        if (!client) return ret(Turn{Break{Result<Unit>()}});
        return Fork{} >> [=](const Result<Forked>& forked) -> Turns {
          if (forked && std::holds_alternative<Child>(*forked)) return session(listener);
          Turns next = ret(Turn{Continue{Count{served.clients + 1}}});
          return Close{*client} >> [=](const Result<Unit>&) -> Turns {
            if (served.clients == 0) return next;
            return Close{*client} >> [=](const Result<Unit>&) { return next; };
          };
        };
      };
    });
  };
  return DiscardChildren{} >> [=](const Result<Unit>&) {
    return OpenSocket{{"127.0.0.1", 8888}} >> [=](const Result<Socket>& listener) {
      return Listen{*listener, 8} >> [=](const Result<Endpoint>&) { return acceptor(*listener); };
    };
  };
}

/// Whoever goes round in a circle must not keep the others from their steps.
TEST(Explorer, NobodyIsIgnoredForEver) {
  const Scope restless = scope({.clients = 2, .messages = 0, .faults = "idle"});
  for (const Order order : {Order::depth_first, Order::breadth_first}) {
    const Exploration reduced = explored(sleepers(), restless, everything, order);
    EXPECT_TRUE(reduced.notes.empty());
    EXPECT_TRUE(clauses(reduced).contains("open"));
    EXPECT_EQ(clauses(reduced), clauses_of(explored(sleepers(), restless, nothing), order));
  }
}

// -- what is looked up is what would be run ---------------------------------------------------------------------------

/// The clauses that are broken by the time when the way's steps were taken, in a simulation.
std::set<std::string_view> broken_on(const Server& server, const Scope& scope, const std::vector<Taken>& way,
                                     Answers answers) {
  const Scenario scenario = scenario_of(server, scope.scenario, way);
  Judge judge(expectations(answers));
  for (const Event& event : simulate(server, scenario, way.size()).trace) judge.see(event);
  std::set<std::string_view> broken;
  for (const Violation& violation : judge.finish(true).violations) broken.insert(violation.clause.name);
  return broken;
}

TEST(StateSpace, AWayThroughItIsARunOfTheProgram) {
  const Scope wild =
      scope({.clients = 2, .messages = 2, .size = 2, .faults = "interrupts,accept,fork,close,reset,idle"});
  std::set<std::string_view> ever;
  for (const Specimen& specimen : specimens(false)) {
    SCOPED_TRACE(specimen.name);
    StateSpace space(specimen.server, wild.scenario, wild.adversity, echo_server(expectations(specimen.answers)));
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      Random random(seed);
      State state = space.first();
      std::vector<Taken> way;
      std::set<std::string_view> broken;
      while (way.size() < 60) {
        std::vector<const Outcome*> all;
        for (std::size_t actor = 0; actor < space.actor_count(); ++actor) {
          const Prospect* const prospect = space.prospect(actor, state);
          if (prospect == nullptr) continue;
          for (const Outcome& outcome : prospect->outcomes) all.push_back(&outcome);
        }
        if (all.empty()) break;
        const Outcome& next = *all[random.below(static_cast<std::uint32_t>(all.size()))];
        for (const Breach& breach : next.breaches) broken.insert(breach.clause.name);
        way.push_back({next.move, next.shortfalls});
        state = StateSpace::after(state, next);
      }
      EXPECT_EQ(broken_on(specimen.server, wild, way, specimen.answers), broken) << "seed " << seed;
      ever.insert(broken.begin(), broken.end());
    }
  }
  EXPECT_GE(ever.size(), 10U);
}

}  // namespace
}  // namespace antiphon::verify
