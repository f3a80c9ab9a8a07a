#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/programs/seed.hpp"
#include "core/rewrite.hpp"
#include "tests/verify/explored.hpp"
#include "verify/mutants.hpp"
#include "verify/planted.hpp"

namespace antiphon::verify {
namespace {

/// Reductions, orders and threads give the verdicts, and the states at rest, of a search without them.

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
    const Exploration plain = explored(specimen.server, small, nothing, Order::depth_first, specimen.expected);
    ASSERT_TRUE(plain.closed) << plain.states;
    for (const Reductions reductions : {partial_order, symmetry, everything}) {
      SCOPED_TRACE(testing::Message() << "por " << reductions.partial_order << ", symmetry " << reductions.symmetry);
      for (const Order order : {Order::depth_first, Order::breadth_first}) {
        const Exploration reduced = explored(specimen.server, small, reductions, order, specimen.expected);
        EXPECT_TRUE(reduced.closed);
        if (order == Order::depth_first) {
          EXPECT_EQ(reduced.ruling, plain.ruling);
        }
        EXPECT_EQ(clauses(reduced), clauses_of(plain, order));
        EXPECT_LE(reduced.states, plain.states);
        if (reduced.endless == EndlessRuns::none) {
          EXPECT_EQ(plain.endless, EndlessRuns::none);
        }
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
    options.expectations = expectations_of_catalogue(name == "once" ? Answers::first_message : Answers::everything);
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

/// Programs that nobody thought of, some of which go round for ever.
TEST(Reductions, AreSoundOnMutants) {
  const Scope two = scope({.clients = 2});
  std::size_t number = 0;
  for (const Mutant& mutant : mutants_of(*program_named("stream"))) {
    if (number++ % 2 != 0) continue;  // for the sake of time
    SCOPED_TRACE(name_of(mutant));
    const Exploration plain = explored(mutant.server, two, nothing);
    const Exploration reduced = explored(mutant.server, two, everything);
    EXPECT_EQ(clauses(reduced), clauses(plain));
    EXPECT_EQ(reduced.ruling, plain.ruling);
    if (reduced.endless == EndlessRuns::none) {
      EXPECT_EQ(plain.endless, EndlessRuns::none);
    }
  }
}

TEST(Reductions, PartialOrderPays) {
  const Scope two = scope({.clients = 2, .messages = 2, .size = 1});
  const Exploration plain = explored(*program_named("stream"), two, nothing);
  const Exploration reduced = explored(*program_named("stream"), two, everything);
  EXPECT_LT(20 * reduced.states, plain.states);
}

TEST(Reductions, ClientsThatDoOtherThingsAreNotAlike) {
  Scope mixed = scope({.clients = 2});
  mixed.scenario.clients.back().insert(mixed.scenario.clients.back().begin() + 1, script::Send{1});
  const Server server = *program_named("stream");
  EXPECT_EQ(explored(server, mixed, symmetry).states, explored(server, mixed, nothing).states);
  EXPECT_LT(explored(server, scope({}), symmetry).states, explored(server, scope({}), nothing).states);
}

/// Whether there is room for one more depends on whose sessions have ended: no client may have its turn for itself.
TEST(Reductions, ALimitOfProcessesConcernsAll) {
  // Who cannot fork serves the client itself.
  const Server server = replace<Fork>(*program_named("stream"), [](const Fork& fork) {
    return map(fork, [](const Result<Forked>& forked) { return forked ? forked : Result<Forked>(Child{}); });
  });
  const Scope limited = scope({.clients = 2, .messages = 0, .faults = "limits"});
  const Exploration reduced = explored(server, limited, everything);
  EXPECT_FALSE(reduced.discoveries.empty());
  EXPECT_EQ(clauses(reduced), clauses(explored(server, limited, nothing)));
  ASSERT_EQ(reduced.notes.size(), 1U);
  EXPECT_NE(reduced.notes.front().find("the number of processes is limited"), std::string::npos);
}

/// Whether a child's end is waited for then hangs on who is faster.
TEST(Reductions, AnAcceptorThatDiscardsLateConcernsItsChildren) {
  const Server never =
      replace<DiscardChildren>(*program_named("stream"), [](const DiscardChildren&) { return ret(Result<Unit>()); });
  const Server server = replace<Accept>(never, [](const Accept& accept) {
    return accept >> [](const Result<Socket>& client) {
      return DiscardChildren{} >> [=](const Result<Unit>&) { return ret(client); };
    };
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
TEST(Reductions, NobodyIsIgnoredForEver) {
  const Scope restless = scope({.clients = 2, .messages = 0, .faults = "idle"});
  for (const Order order : {Order::depth_first, Order::breadth_first}) {
    const Exploration reduced = explored(sleepers(), restless, everything, order);
    EXPECT_TRUE(reduced.notes.empty());
    EXPECT_TRUE(clauses(reduced).contains("open"));
    EXPECT_EQ(clauses(reduced), clauses_of(explored(sleepers(), restless, nothing), order));
  }
}

}  // namespace
}  // namespace antiphon::verify
