#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "verify/contracts/owed.hpp"

namespace antiphon::verify {

/// A Recv asks for no more than the operator grants: memory for a session is bounded. It may ask for less, but not for
/// the one message that is answered: what fits into the buffer and arrives whole comes back whole. Shares the witness
/// of Echo.
struct BufferSize {
  using Witness = Owing;
  static constexpr Clause clause{"buffer",
                                 "no session receives more at a time than its buffer holds; nor less, if no more is "
                                 "answered"};
  Answers answers = Answers::everything;
  std::int64_t at_most = unlimited;

  void caller(const Owing& owing, const Seen& seen, Report& report) const {
    const auto* const recv = seen.issued<Recv>();
    if (recv == nullptr || at_most == unlimited) return;
    const std::string asks = "asks for " + std::to_string(recv->instruction.at_most) + " bytes, where ";
    if (std::cmp_greater(recv->instruction.at_most, at_most)) {
      report.breach(clause, Party::program, asks + std::to_string(at_most) + " are the limit");
    } else if (std::cmp_less(recv->instruction.at_most, at_most) && is_all_that_is_answered(owing, seen)) {
      report.breach(clause, Party::program, asks + "a message may have " + std::to_string(at_most));
    }
  }

 private:
  [[nodiscard]] bool is_all_that_is_answered(const Owing& owing, const Seen& seen) const {
    if (answers == Answers::everything) return false;
    const auto& what = seen.held();
    if (!what || what->listener) return false;
    const Owed* const owed = owing.find(what->connection);
    return owed == nullptr || !owed->heard();
  }
};

}  // namespace antiphon::verify
