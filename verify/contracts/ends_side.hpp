#pragma once

#include <string>

#include "verify/contracts/owed.hpp"

namespace antiphon::verify {

/// The end of the server's side says that the answer is whole. So no side is ended while its client is owed something,
/// for nothing can be sent after it; what excuses a debt excuses this too. And a server that answers the first message
/// only ends its side once the answer is out, before it reads on, so that its client does not wait. Shares the witness
/// of Echo.
struct EndsSide {
  using Witness = Owing;
  static constexpr Clause clause{"ends-side",
                                 "a side is ended once the answer is out; at once, if that is the only one"};
  Answers answers = Answers::everything;
  TimeLimits limits;  ///< A deadline before these excuses nothing.

  void caller(const Owing& owing, const Seen& seen, Report& report) const {
    if (seen.issued<Recv>() != nullptr) check_reading(owing, seen, report);
    if (seen.issued<ShutdownSend>() != nullptr) check_ending(owing, seen, report);
  }

 private:
  void check_reading(const Owing& owing, const Seen& seen, Report& report) const {
    if (answers == Answers::everything) return;
    const ConnectionState* const connection = seen.connection();
    if (connection == nullptr || connection->side_ended || connection->excused(limits)) return;
    const Owed* const owed = owing.find(seen.held()->connection);
    if (owed == nullptr || !owed->heard()) return;
    report.breach(clause, Party::program, "reads on and has not ended its side");
  }

  void check_ending(const Owing& owing, const Seen& seen, Report& report) const {
    const ConnectionState* const connection = seen.connection();
    if (connection == nullptr || connection->excused(limits)) return;
    const Owed* const owed = owing.find(seen.held()->connection);
    if (owed == nullptr || owed->bytes() == 0) return;
    report.breach(clause, Party::program, "ends its side and still owes " + owed->quoted());
  }
};

}  // namespace antiphon::verify
