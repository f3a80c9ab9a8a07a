#pragma once

#include <string>

#include "apps/verify_arguments.hpp"
#include "interpreters/trace_text.hpp"
#include "verify/campaign.hpp"

/// What echo-verify prints. Equal results have equal text; no durations are in it.

namespace antiphon {

/// The program that was judged.
struct Subject {
  std::string name;
  std::string identity;
};

std::string report(const Subject& subject, const VerifyArguments& arguments, const verify::CampaignResult& result);
std::string report(const Subject& subject, const VerifyArguments& arguments, const Scenario& scenario,
                   const verify::Judged& judged);
std::string report(const TraceHeader& header, const VerifyArguments& arguments, const verify::Verdict& verdict);

}  // namespace antiphon
