#pragma once

#include <array>
#include <string>
#include <vector>

#include "apps/subject.hpp"
#include "apps/verify_arguments.hpp"
#include "verify/campaign.hpp"
#include "verify/comparison.hpp"
#include "verify/coverage.hpp"
#include "verify/explorer.hpp"
#include "verify/fault_matrix.hpp"
#include "verify/limits_met.hpp"
#include "verify/mutation.hpp"
#include "verify/parity.hpp"

/// What echo-verify prints. Equal results have equal text; no durations are in it.

namespace antiphon {

std::string report(const Subject& subject, const VerifyArguments& arguments, const verify::CampaignResult& result,
                   const verify::Coverage& coverage);
std::string report(const Subject& subject, const VerifyArguments& arguments, const Scenario& scenario,
                   const verify::Judged& judged);
std::string report(const Subject& subject, const VerifyArguments& arguments, const verify::MutationResult& result);
std::string report(const Subject& subject, const VerifyArguments& arguments, const verify::FaultMatrix& result);

/// Of runs that took place on the kernel too.
std::string report(const Subject& subject, const VerifyArguments& arguments, const verify::ParityResult& result);
std::string report(const Subject& subject, const VerifyArguments& arguments, const Scenario& scenario,
                   const verify::Performance& performance, const verify::Judged& judged);

std::string estimate_text(const verify::Estimate& estimate);

/// What an exploration found.
struct Explored {
  verify::Exploration result;
  std::vector<verify::Finding> findings;  ///< Its discoveries, minimised.
  std::vector<verify::LimitMet> limits;
};

std::string report(const Subject& subject, const VerifyArguments& arguments, const Explored& explored);

/// A run that a comparison found, as the command that replays it; "" if it has none.
struct Replays {
  std::array<std::string, 2> only;  ///< Of the trace that only this side has.
  std::string can;
  std::string cannot;
};

std::string report(const std::array<Subject, 2>& subjects, const VerifyArguments& arguments,
                   const verify::Comparison& result, const Replays& replays);

}  // namespace antiphon
