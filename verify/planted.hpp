#pragma once

#include <string_view>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "core/trace.hpp"
#include "verify/contracts/owed.hpp"

namespace antiphon::verify {

/// A server with a known defect, or a kernel that lies, and the clause that it breaks. A check that does not find it is
/// broken itself.
struct Planted {
  std::string_view clause;
  std::string_view defect;
  Server server;
  Answers answers = Answers::everything;  ///< What the server would have to do.
  /// What a lying kernel makes of a run, for the judge to see; null: the run is as it was.
  void (*lie)(std::vector<Event>& trace) = nullptr;
};

/// At least one for each clause: a server of the catalogue with one thing done wrong, or under a kernel that lies.
std::vector<Planted> planted_violations(const ProgramOptions& options = {});

}  // namespace antiphon::verify
