#include "verify/mutation.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/programs/catalogue.hpp"
#include "interpreters/dump.hpp"
#include "interpreters/simulated.hpp"
#include "verify/bisimilar.hpp"
#include "verify/difference.hpp"
#include "verify/exhaustive.hpp"
#include "verify/expectations.hpp"
#include "verify/planted.hpp"
#include "verify/same_tree.hpp"

namespace antiphon::verify {

namespace {

/// A mutant may take so many times the original's steps, and some more, before it counts as restless.
constexpr std::uint64_t patience = 8;
constexpr std::uint64_t least_steps = 4'000;

using Clauses = std::set<std::string_view>;

/// A scenario, and what the original makes of it.
struct Baseline {
  Scenario scenario;
  Clauses violated;
  bool at_rest;
  std::uint64_t steps;
};

/// What a run broke, in the order in which it did.
struct Broken {
  std::vector<std::string_view> clauses;
  bool at_rest;
  std::uint64_t steps;
};

Broken broken_by(const Server& server, const Scenario& scenario, const Expectations& expectations,
                 std::uint64_t most_steps) {
  const Run run = simulate(server, scenario, most_steps);
  Broken broken{{}, run.at_rest, run.steps};
  for (const Violation& violation : judge(run.trace, expectations).violations) {
    broken.clauses.push_back(violation.clause.name);
  }
  return broken;
}

/// The scenario of a run, from 1.
using Scenarios = std::function<Scenario(std::uint64_t run)>;

/// The scenarios, made as they are needed, with the runs of the original.
class Baselines {
 public:
  Baselines(std::uint64_t runs, Scenarios scenarios, const Expectations& expectations)
      : runs_(runs), scenarios_(std::move(scenarios)), expectations_(expectations) {}

  Opinion judge(const Server& original, const Server& mutant) {
    auto& known = known_.of(original, [](const Server&) { return std::vector<Baseline>(); });
    for (std::uint64_t run = 1; run <= runs_; ++run) {
      if (known.size() < run) known.push_back(baseline(original, run));
      if (const auto clause = broken_clause(mutant, known[run - 1])) {
        return {Fate::killed, std::string(*clause), run};
      }
    }
    return {Fate::survived, {}, runs_};
  }

 private:
  [[nodiscard]] Baseline baseline(const Server& original, std::uint64_t run) const {
    Scenario scenario = scenarios_(run);
    constexpr std::uint64_t most_steps = 200'000;
    const Broken broken = broken_by(original, scenario, expectations_, most_steps);
    return {std::move(scenario), Clauses(broken.clauses.begin(), broken.clauses.end()), broken.at_rest, broken.steps};
  }

  [[nodiscard]] std::optional<std::string_view> broken_clause(const Server& mutant, const Baseline& baseline) const {
    const std::uint64_t most_steps = patience * baseline.steps + least_steps;
    const Broken broken = broken_by(mutant, baseline.scenario, expectations_, most_steps);
    for (const std::string_view clause : broken.clauses) {
      if (!baseline.violated.contains(clause)) return clause;
    }
    if (baseline.at_rest && !broken.at_rest) return comes_to_rest;
    return std::nullopt;
  }

  std::uint64_t runs_;
  Scenarios scenarios_;
  Expectations expectations_;
  OfOriginal<std::vector<Baseline>> known_;
};

Strategy with_scenarios(std::string name, std::uint64_t runs, Scenarios scenarios, const Expectations& expectations) {
  const auto known = std::make_shared<Baselines>(runs, std::move(scenarios), expectations);
  return {std::move(name),
          [known](const Server& original, const Mutant& mutant) { return known->judge(original, mutant.server); }};
}

/// The tree for a comparison. Its text comes of few states; the rest of them would take long.
std::string tree_of(const Server& server) {
  constexpr GraphLimits limits{.most_states_of_a_point = 2'048};
  const std::string text = dump(graph_of(server, limits), DumpFormat::tree);
  return text.substr(0, text.find("\nnot complete:\n"));
}

/// `tree` gives the original's.
Trial put_on_trial(const Server& original, const std::function<const std::string&()>& tree, Mutant mutant,
                   const std::vector<Strategy>& strategies) {
  Trial trial{std::move(mutant), Fate::survived, {}, {}, 0, {}};
  for (const Strategy& strategy : strategies) {
    const Opinion opinion = strategy.judge(original, trial.mutant);
    if (opinion.fate == Fate::survived) {
      trial.scenarios += opinion.scenarios;
      continue;
    }
    trial.fate = opinion.fate;
    trial.clause = opinion.clause;
    trial.strategy = strategy.name;
    trial.scenarios = opinion.scenarios;
    return trial;
  }
  const std::optional<Server>& other_form = trial.mutant.original;
  trial.difference = difference(other_form ? tree_of(*other_form) : tree(), tree_of(trial.mutant.server));
  return trial;
}

/// A server with a defect that is easily seen, before the same strategies.
Canary find_canary(const std::vector<Strategy>& strategies) {
  const std::vector<Planted> planted = planted_violations();
  const auto known = std::ranges::find(planted, "echo", &Planted::clause);
  const Server original = *program_named("stream");
  const Mutant bad{.instruction = {}, .text = std::string(known->defect), .server = known->server, .original = {}};
  for (const Strategy& strategy : strategies) {
    const Opinion opinion = strategy.judge(original, bad);
    if (opinion.fate == Fate::killed) return {known->clause, known->defect, opinion.scenarios};
    if (opinion.fate == Fate::equivalent) break;
  }
  return {known->clause, known->defect, 0};
}

}  // namespace

Strategy same_trees() {
  return {"same tree", [](const Server& original, const Mutant& mutant) {
            return Opinion{same_tree(original, mutant.server) ? Fate::equivalent : Fate::survived, {}, 0};
          }};
}

Strategy failing_starts(const MutationOptions& options) {
  const auto scenario = [](std::uint64_t run) {
    const auto& [instruction, error] = start_failures[run - 1];
    Scenario made(0);
    made.clients = {{script::Connect{}, script::Send{3}, script::Await{3}, script::EndSide{}}};
    made.faults = {{fault_place(instruction), 0, error}};
    return made;
  };
  return with_scenarios("failing start", std::size(start_failures), scenario, options.expectations);
}

Strategy random_scenarios(const MutationOptions& options) {
  const Generation generation =
      generation_for(options.expectations, 4, std::vector<bool>(fault_classes().size(), true));
  const auto scenario = [generation, seed = options.seed](std::uint64_t run) {
    return scenario_of_run(generation, seed, run);
  };
  return with_scenarios("random", options.runs, scenario, options.expectations);
}

std::uint64_t MutationResult::count(Fate fate) const {
  return static_cast<std::uint64_t>(std::ranges::count(trials, fate, &Trial::fate));
}

MutationResult mutation_campaign(const Server& server, const MutationOptions& options,
                                 const std::vector<Strategy>& strategies) {
  MutationResult result;
  options.progress("looking for the canary");
  result.canary = find_canary(strategies);
  std::vector<Mutant> mutants = mutants_of(server);
  std::string drawn;
  const auto tree = [&]() -> const std::string& { return drawn.empty() ? drawn = tree_of(server) : drawn; };
  for (Mutant& mutant : mutants) {
    options.progress(std::to_string(result.trials.size()) + " of " + std::to_string(mutants.size()) + " mutants");
    result.trials.push_back(put_on_trial(server, tree, std::move(mutant), strategies));
  }
  if (result.canary.found_in_run == 0) {
    result.remarks.push_back("a mutant known to be bad was not killed: " + std::string(result.canary.defect) +
                             "; more runs may show it");
  }
  if (result.trials.empty()) result.remarks.emplace_back("the program has no mutants");
  if (result.remarks.empty()) result.ruling = result.count(Fate::survived) == 0 ? Ruling::holds : Ruling::violated;
  return result;
}

MutationResult mutation_campaign(const Server& server, const MutationOptions& options) {
  return mutation_campaign(
      server, options,
      {same_trees(), failing_starts(options), random_scenarios(options), exhaustive(options), bisimilar()});
}

std::string_view name_of(Fate fate) {
  constexpr std::string_view names[] = {"killed", "equivalent", "survived"};
  return names[static_cast<std::size_t>(fate)];
}

}  // namespace antiphon::verify
