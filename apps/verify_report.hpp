#pragma once

#include <string>
#include <vector>

#include "apps/verify_arguments.hpp"
#include "interpreters/trace_text.hpp"
#include "verify/campaign.hpp"
#include "verify/coverage.hpp"
#include "verify/explorer.hpp"
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

std::string report(const Subject& subject, const VerifyArguments& arguments, const verify::CampaignResult& result,
                   const verify::Coverage& coverage);
std::string report(const Subject& subject, const VerifyArguments& arguments, const Scenario& scenario,
                   const verify::Judged& judged);
std::string report(const TraceHeader& header, const VerifyArguments& arguments, const verify::Verdict& verdict);
std::string report(const Subject& subject, const VerifyArguments& arguments, const verify::MutationResult& result);

/// `findings` are the exploration's discoveries, minimised.
std::string report(const Subject& subject, const VerifyArguments& arguments, const verify::Exploration& result,
                   const std::vector<verify::Finding>& findings);

}  // namespace antiphon
