#pragma once

#include <string_view>
#include <vector>

#include "core/trace.hpp"

namespace antiphon::verify {

/// A kernel that lies: what it makes of a run, and the clause that it breaks. A check that does not find it is broken
/// itself.
struct LyingKernel {
  std::string_view clause;
  std::string_view defect;
  void (*lie)(std::vector<Event>& trace);  ///< Changes one answer, if there is one to change.
};

/// At least one for each promise of the interpreter that the contracts name.
std::vector<LyingKernel> lying_kernels();

}  // namespace antiphon::verify
