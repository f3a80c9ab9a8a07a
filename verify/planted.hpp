#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "verify/judge.hpp"

namespace antiphon::verify {

/// A server with a known defect, and the clause that it breaks. A check that does not find it is broken itself.
struct Planted {
  std::string_view clause;
  std::string_view defect;
  Server server;
  Answers answers = Answers::everything;  ///< What the server would have to do.
  /// And within which time, where others have no limit.
  std::optional<std::int64_t> progress_ms{};

  /// What it is held to where others are held to `expected`.
  [[nodiscard]] Expectations held_to(Expectations expected) const {
    expected.answers = answers;
    if (progress_ms) expected.progress_ms = *progress_ms;
    return expected;
  }
};

/// At least one for each clause: a server of the catalogue with one thing done wrong. Those about a limit that the
/// options have break that one.
std::vector<Planted> planted_violations(const ProgramOptions& options = {});

}  // namespace antiphon::verify
