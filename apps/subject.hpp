#pragma once

#include <string>

#include "interpreters/scenario.hpp"

namespace antiphon {

/// The program that was judged.
struct Subject {
  std::string name;
  std::string identity;
  std::string options;  ///< The limits that it was made with, as on a command line.
};

/// "stream --progress-timeout 30 (0123456789ab)".
std::string text_of(const Subject& subject);

/// The command that runs a scenario again.
std::string replay_command(const Subject& subject, const Scenario& scenario);

}  // namespace antiphon
