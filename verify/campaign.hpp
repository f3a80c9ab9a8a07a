#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "core/programs/server.hpp"
#include "verify/generate.hpp"
#include "verify/judge.hpp"
#include "verify/judged.hpp"
#include "verify/nearest.hpp"
#include "verify/sometimes.hpp"

/// Campaigns: many random scenarios, each run and judged; what is found is shrunk.

namespace antiphon::verify {

struct CampaignOptions {
  std::uint64_t runs = 10'000;
  std::uint64_t seed = 1;
  Generation generation;
  Expectations expectations;
  ProgramOptions planted;  ///< What the servers with a planted violation are made from.
  /// Called now and then with what is being done.
  std::function<void(const std::string&)> progress = [](const std::string&) {};
  /// Called with the trace of each of the runs.
  std::function<void(const std::vector<Event>&)> each_run = [](const std::vector<Event>&) {};
};

/// A violation, in the simplest scenario that was found for it.
struct Finding {
  Violation violation;
  Scenario scenario;
  std::vector<Event> trace;
  std::optional<std::uint64_t> lap_from;  ///< The run goes on for ever: what comes again, from this event on.
  Nearest nearest;
  std::uint64_t found_in_run = 0;    ///< From 1.
  std::uint64_t shrinking_runs = 0;  ///< Runs that the shrinking took.
};

struct Canary {
  std::string_view clause;
  std::string_view defect;
  std::uint64_t found_in_run = 0;  ///< From 1; 0: not found.
};

struct CampaignResult {
  Ruling ruling = Ruling::incomplete;
  std::uint64_t runs = 0;
  std::uint64_t incomplete_runs = 0;
  std::optional<Scenario> incomplete;       ///< The first of them.
  bool data_independent = true;             ///< No run looked at the content of a message.
  std::vector<Finding> findings;            ///< One for each clause that was violated, in the order of `all_clauses`.
  std::vector<std::string_view> not_asked;  ///< Clauses that had nothing to judge.
  std::vector<Sometimes> sometimes;
  std::vector<Canary> canaries;
  std::vector<std::string> remarks;  ///< Why it is incomplete.
  Tally total;
};

/// Runs the campaign, and beside it one for each planted violation (see verify/planted.hpp), which must be found.
CampaignResult campaign(const Server& server, const CampaignOptions& options);

/// The scenario of a run (from 1) of the campaign with that seed.
Scenario scenario_of_run(const Generation& generation, std::uint64_t seed, std::uint64_t run);

/// The clause's violation in the simplest scenario that is found for it, starting from one that violates it.
Finding minimised(const Server& server, const Expectations& expectations, const Scenario& scenario,
                  std::string_view clause);

/// Adds what a run contained.
void add_to(Tally& total, const Tally& run);

}  // namespace antiphon::verify
