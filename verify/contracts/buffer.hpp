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
    const std::size_t asked = recv->instruction.at_most;
    if (std::cmp_greater(asked, at_most)) {
      report.breach(clause, Party::program, asks_for(asked) + std::to_string(at_most) + " are the limit");
    } else if (std::cmp_less(asked, at_most) && is_all_that_is_answered(owing, seen)) {
      report.breach(clause, Party::program, asks_for(asked) + "a message may have " + std::to_string(at_most));
    }
  }

 private:
  static std::string asks_for(std::size_t bytes) { return "asks for " + std::to_string(bytes) + " bytes, where "; }

  [[nodiscard]] bool is_all_that_is_answered(const Owing& owing, const Seen& seen) const {
    if (answers == Answers::everything) return false;
    const auto& what = seen.held();
    if (!what || what->listener) return false;
    const Owed* const owed = owing.find(what->connection);
    return owed == nullptr || !owed->heard();
  }
};

}  // namespace antiphon::verify
