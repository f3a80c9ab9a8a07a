#pragma once

#include <string>

#include "apps/verify_arguments.hpp"
#include "interpreters/trace_text.hpp"
#include "verify/campaign.hpp"
#include "verify/coverage.hpp"
#include "verify/mutation.hpp"

/// What echo-verify prints. Equal results have equal text; no durations are in it.

namespace antiphon {

/// The program that was judged.
struct Subject {
  std::string name;
  std::string identity;
};

/// The command that runs a scenario again.
std::string replay_command(const Subject& subject, const Scenario& scenario);

/// A violation with its counterexample, in words and as a JSON object. `effort` says how it was found.
std::string finding_text(const Subject& subject, const verify::Finding& finding, const std::string& effort);
std::string finding_json(const Subject& subject, const verify::Finding& finding);

std::string report(const Subject& subject, const VerifyArguments& arguments, const verify::CampaignResult& result,
                   const verify::Coverage& coverage);
std::string report(const Subject& subject, const VerifyArguments& arguments, const Scenario& scenario,
                   const verify::Judged& judged);
std::string report(const TraceHeader& header, const VerifyArguments& arguments, const verify::Verdict& verdict);
std::string report(const Subject& subject, const VerifyArguments& arguments, const verify::MutationResult& result);

}  // namespace antiphon
