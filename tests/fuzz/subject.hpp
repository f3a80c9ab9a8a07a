#pragma once

#include <string>

#include "core/programs/catalogue.hpp"
#include "interpreters/scenario.hpp"
#include "verify/judge.hpp"

namespace antiphon::fuzz {

/// A server that runs in scenarios, and what it is held to.
struct Subject {
  std::string name;
  ProgramOptions options;
  Server server;
  verify::Expectations expected;
  bool keeps_all = true;  ///< It keeps all contracts, as `stream` and `once` do.
};

/// The server of that name in the catalogue, made from these.
Subject subject_named(const std::string& name, const ProgramOptions& options = {});

/// Runs it twice, judges the run, writes and reads its trace, replays it and looks for it in the simulator. What does
/// not hold is told with a token that replays it.
void try_scenario(const Subject& subject, const Scenario& scenario);

}  // namespace antiphon::fuzz
