#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/trace_parts.hpp"
#include "apps/verify_arguments.hpp"
#include "apps/verify_in_simulator.hpp"
#include "interpreters/replay.hpp"
#include "interpreters/trace_text.hpp"
#include "verify/judge.hpp"

namespace antiphon {

/// Whether a trace is one of a program.
struct Conformance {
  std::string program;
  std::optional<Parting> parting;
  std::uint64_t instructions = 0;  ///< So many were issued as they were recorded.
  bool is_known = true;            ///< False: the program could not be replayed so far that this can be told.
};

/// What is said of a recorded run.
struct JudgedTrace {
  TraceHeader header;
  verify::Verdict verdict;  ///< A parting makes it violated.
  std::optional<Conformance> conformance;
  std::vector<InSimulator> simulator;  ///< Of each worker, if it was looked for.
  /// Where the violations' events stand, and the parting, as far as that is known.
  std::vector<std::pair<verify::ProcessEventName, TracePlace>> places;
};

std::string report(const VerifyArguments& arguments, const JudgedTrace& judged);

}  // namespace antiphon
