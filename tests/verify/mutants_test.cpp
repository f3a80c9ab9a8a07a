#include "verify/mutants.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "interpreters/dump.hpp"

namespace antiphon::verify {
namespace {

/// The names without the lines of the source, so that an expectation outlives an edit above it.
std::vector<std::string> names_of(const Server& server) {
  std::vector<std::string> names;
  for (const Mutant& mutant : mutants_of(server)) {
    names.push_back(std::regex_replace(name_of(mutant), std::regex(" line [0-9]+"), ""));
  }
  return names;
}

std::string tree_of(const Server& server) {
  return std::regex_replace(dump(graph_of(server), DumpFormat::tree), std::regex("  :[0-9]+"), "");
}

/// The mutant of that name.
Server mutant_named(const Server& server, std::string_view name) {
  const std::vector<std::string> names = names_of(server);
  const auto found = std::ranges::find(names, name);
  EXPECT_NE(found, names.end()) << name;
  return mutants_of(server).at(static_cast<std::size_t>(found - names.begin())).server;
}

Server accept_and_close() {
  return OpenSocket{} >> [](const Result<Socket>& listener) -> Server {
    if (!listener) return ret(Result<Unit>(failed(listener.error())));
    return Accept{*listener} >> [=](const Result<Socket>& client) -> Server {
      if (!client) return ret(Result<Unit>(failed(client.error())));
      return Close{*client} >> [=](const Result<Unit>&) -> Server {
        return Close{*listener};  // on a line of its own: as a loop, a server tells instructions apart by lines
      };
    };
  };
}

// -- Names ------------------------------------------------------------------------------------------------------

TEST(Mutants, OfASmallServer) {
  EXPECT_EQ(names_of(accept_and_close()),
            (std::vector<std::string>{
                "#1 OpenSocket: drop: is not issued, as if it was answered socket 0",
                "#1 OpenSocket: duplicate: is issued twice, and the first response counts",
                "#1 OpenSocket: duplicate: is issued twice, and the last response counts",
                "#1 OpenSocket: error-as-success: takes any error for socket 0",
                "#1 OpenSocket: success-as-error: takes a success for EPERM (any error)",
                "#2 Accept: drop: is not issued, as if it was answered socket 1",
                "#2 Accept: duplicate: is issued twice, and the first response counts",
                "#2 Accept: duplicate: is issued twice, and the last response counts",
                "#2 Accept: error-as-success: takes any error for socket 1",
                "#2 Accept: success-as-error: takes a success for EPERM (any error)",
                "#3 Close: drop: is not issued, as if it was answered ok",
                "#3 Close: duplicate: is issued twice, and the first response counts",
                "#3 Close: duplicate: is issued twice, and the last response counts",
                "#3 Close: retarget: is issued on listener₁ in place of client₁",
                "#3 Close: swap: is issued after #4 Close, which follows it",
                "#4 Close: drop: is not issued, as if it was answered ok",
                "#4 Close: duplicate: is issued twice, and the first response counts",
                "#4 Close: duplicate: is issued twice, and the last response counts",
                "#4 Close: error-as-success: takes any error for ok",
                "#4 Close: success-as-error: takes a success for EINTR (any error)",
            }));
}

TEST(Mutants, AProgramWithoutInstructionsHasNone) { EXPECT_TRUE(mutants_of(ret(Result<Unit>())).empty()); }

TEST(Mutants, OfTheServersAreOfEveryKindAndNamedOnce) {
  std::set<MutantKind> kinds;
  for (const Mutant& mutant : mutants_of(*program_named("stream"))) kinds.insert(mutant.kind);
  EXPECT_EQ(kinds.size(), std::size(mutant_kind_names));
  for (const std::string_view program : program_names) {
    const std::vector<std::string> names = names_of(*program_named(program));
    EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size()) << program;
    EXPECT_EQ(names_of(*program_named(program)), names) << program;
  }
}

TEST(Mutants, AreNumberedAsTheDumpDoes) {
  const Server server = *program_named("stream");
  const ProgramGraph graph = graph_of(server);
  for (const Mutant& mutant : mutants_of(server)) {
    const ProgramGraph::Node& node = graph.nodes.at(mutant.node - 1);
    EXPECT_EQ(mutant.instruction, node.instruction);
    EXPECT_EQ(mutant.line, node.line);
  }
}

// -- What they do -----------------------------------------------------------------------------------------------

TEST(Mutants, OnlyTheOneNodeIsAnother) {
  EXPECT_EQ(tree_of(mutant_named(accept_and_close(), "#3 Close: retarget: is issued on listener₁ in place of client₁")),
            "#1 OpenSocket at :0\n"
            "├─ listener₁\n"
            "│  #2 Accept listener₁\n"
            "│  ├─ client₁\n"
            "│  │  #3 Close socket 0\n"
            "│  │  └─ any answer\n"
            "│  │     #4 Close listener₁\n"
            "│  │     ├─ ok: end: ok\n"
            "│  │     └─ any error: end: error\n"
            "│  └─ any error: end: error\n"
            "└─ any error: end: error\n");
}

TEST(Mutants, ASwapChangesTheOrder) {
  EXPECT_EQ(tree_of(mutant_named(accept_and_close(), "#3 Close: swap: is issued after #4 Close, which follows it")),
            "#1 OpenSocket at :0\n"
            "├─ listener₁\n"
            "│  #2 Accept listener₁\n"
            "│  ├─ client₁\n"
            "│  │  #3 Close listener₁\n"
            "│  │  └─ any answer\n"
            "│  │     #4 Close client₁\n"
            "│  │     ├─ sometimes any answer: end: ok\n"
            "│  │     └─ sometimes any answer: end: error\n"
            "│  └─ any error: end: error\n"
            "└─ any error: end: error\n");
}

TEST(Mutants, ASwapsOriginalIsTheServerInAnotherForm) {
  for (const Mutant& mutant : mutants_of(accept_and_close())) {
    EXPECT_EQ(mutant.original.has_value(), mutant.kind == MutantKind::swap);
    EXPECT_EQ(tree_of(mutant.original.value_or(accept_and_close())), tree_of(accept_and_close()));
  }
}

/// A loop whose only instruction is dropped would go round for ever, and nobody could stop it.
TEST(Mutants, NoLoopIsLeftWithoutInstructions) {
  using Turn = Step<Unit, Result<Unit>>;
  const Server reads_on = iter(Unit{}, [](const Unit&) {
    return Recv{Socket{1}, 8, {}} >> [](const Result<Bytes>& message) {
      return ret(message && !message->empty() ? Turn{Continue{Unit{}}} : Turn{Break{Result<Unit>()}});
    };
  });
  std::vector<std::string> drops;
  std::ranges::copy_if(names_of(reads_on), std::back_inserter(drops),
                       [](const std::string& name) { return name.contains("drop"); });
  EXPECT_EQ(drops, (std::vector<std::string>{"#1 Recv: drop: is not issued, as if it was answered end of input"}));
}

}  // namespace
}  // namespace antiphon::verify
