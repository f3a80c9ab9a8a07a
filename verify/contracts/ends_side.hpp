#pragma once

#include "verify/contracts/owed.hpp"

namespace antiphon::verify {

/// A server that answers the first message only: once the answer is out it ends its side, before it reads on. So the
/// client sees the end and does not wait. Shares the witness of Echo; asks nothing of a server that echoes everything.
struct EndsSide {
  using Witness = Owing;
  static constexpr Clause clause{"ends-side", "who answers one message ends its side after the answer"};
  Answers answers = Answers::everything;

  void caller(const Owing& owing, const Seen& seen, Report& report) const {
    const auto* const recv = seen.issued<Recv>();
    if (answers == Answers::everything || recv == nullptr) return;
    const auto what = seen.held(recv->instruction.from);
    const ConnectionState* const connection = what ? seen.before.connection(what->connection) : nullptr;
    if (connection == nullptr || what->listener || connection->side_ended) return;
    const Owed* const owed = owing.find(what->connection);
    if (owed == nullptr || !owed->heard || connection->excuse != Excuse::none) return;
    report.breach(clause, Party::program, "reads on and has not ended its side");
  }
};

}  // namespace antiphon::verify
