#pragma once

#include <string_view>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "verify/contracts/owed.hpp"

namespace antiphon::verify {

/// A server with a known defect, and the clause that it breaks. A check that does not find it is broken itself.
struct Planted {
  std::string_view clause;
  std::string_view defect;
  Server server;
  Answers answers = Answers::everything;  ///< What the server would have to do.
};

/// At least one for each clause: a server of the catalogue with one thing done wrong.
std::vector<Planted> planted_violations(const ProgramOptions& options = {});

}  // namespace antiphon::verify
