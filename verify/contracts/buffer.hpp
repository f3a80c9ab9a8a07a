#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "verify/contract.hpp"

namespace antiphon::verify {

/// A Recv asks for no more than the operator grants: memory for a session is bounded. It may ask for less.
struct BufferSize {
  using Witness = Nothing;
  static constexpr Clause clause{"buffer", "no session receives more at a time than its buffer holds"};
  std::int64_t at_most = unlimited;

  void caller(const Nothing&, const Seen& seen, Report& report) const {
    const auto* const recv = seen.issued<Recv>();
    if (recv == nullptr || std::cmp_less_equal(recv->instruction.at_most, at_most)) return;
    report.breach(clause, Party::program,
                  "asks for " + std::to_string(recv->instruction.at_most) + " bytes, where " + std::to_string(at_most) +
                      " are the limit");
  }
};

}  // namespace antiphon::verify
