#pragma once

#include <cstdint>
#include <string>

#include "verify/contract.hpp"

namespace antiphon::verify {

/// An acceptor that lacks something (descriptors, memory) rests before it tries again, so that it does not spin, and
/// rests briefly, so that clients do not wait for nothing.
struct Rests {
  using Witness = Parts<Mark<About::process>>;  ///< Acceptors whose last Accept failed for want of something.
  static constexpr Clause clause{"rests", "an acceptor that lacks something rests before it tries again, not for long"};
  static constexpr std::int64_t longest_ms = 10'000;

  void caller(const Witness& lacking, const Seen& seen, Report& report) const {
    if (seen.process_event() == nullptr || !lacking.contains(seen.process())) return;
    if (seen.issued<Accept>() != nullptr) {
      report.breach(clause, Party::program, "tries again at once after an Accept that failed for want of something");
    } else if (const auto* const sleep = seen.issued<Sleep>();
               sleep != nullptr && sleep->instruction.wait_ms > longest_ms) {
      report.breach(clause, Party::program, "rests for " + std::to_string(sleep->instruction.wait_ms) + " ms");
    }
  }

  void move(Witness& lacking, const Seen& seen) const {
    if (seen.process_event() == nullptr) return;
    const auto* const accept = seen.issued<Accept>();
    if (accept != nullptr && accept->response && !*accept->response && is_want(accept->response->error())) {
      lacking.edit(seen.process());
    } else if (accept != nullptr || seen.issued<Sleep>() != nullptr || seen.ended() != nullptr) {
      if (lacking.contains(seen.process())) lacking.erase(seen.process());
    }
  }

 private:
  static bool is_want(Errno error) {
    return error == Errno::MFILE || error == Errno::NFILE || error == Errno::NOBUFS || error == Errno::NOMEM;
  }
};

}  // namespace antiphon::verify
