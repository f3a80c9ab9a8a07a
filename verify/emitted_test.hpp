#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "interpreters/scenario.hpp"
#include "verify/judge.hpp"

/// Counterexamples as C++ tests to paste.

namespace antiphon::verify {

/// A clause that a program of the catalogue breaks in a scenario.
struct Counterexample {
  Clause clause;
  Scenario scenario;
  std::string replay;  ///< The command that replays it.
};

/// A source with a GoogleTest case for each of them, which fails as long as the clause is broken. The scenarios are
/// written as C++. Of the options it has the progress limit and the limit by address; the rest is as by default.
std::string emitted_test(std::string_view program, const ProgramOptions& options,
                         const std::vector<Counterexample>& counterexamples);

}  // namespace antiphon::verify
