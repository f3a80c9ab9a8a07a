#include "apps/subject.hpp"

#include <fmt/format.h>

#include "verify/token.hpp"

namespace antiphon {

namespace {

/// As it stands behind --program.
std::string with_options(const Subject& subject) {
  return subject.name + (subject.options.empty() ? "" : " ") + subject.options;
}

}  // namespace

std::string text_of(const Subject& subject) {
  return fmt::format("{} ({:.12})", with_options(subject), subject.identity);
}

std::string replay_command(const Subject& subject, const Scenario& scenario) {
  return fmt::format("echo-verify properties --program {} --replay {}", with_options(subject),
                     verify::token_of(scenario, subject.name, subject.identity));
}

}  // namespace antiphon
