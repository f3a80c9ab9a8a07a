#pragma once

#include "verify/contract.hpp"

namespace antiphon::verify {

/// A connection is let go of only after the client's end was read, so that closing never meets unread input and
/// resets. A client's reset, the idle limit, a drain excuse it, and so does a Fork that failed: that client is
/// refused. Once the server has ended its own side, any deadline will do. The interpreter promises that nothing comes
/// after the end.
struct InputRead {
  using Witness = Nothing;
  static constexpr Clause clause{"input-read", "no client is let go of before its end was read"};
  TimeLimits limits;
  Places places{};

  void caller(const Nothing&, const Seen& seen, Report& report) const {
    for (const ConnectionId id : seen.last_releases) {
      const ConnectionState& connection = *seen.before.connection(id);
      const Excuse excuse = seen.excuse(connection, places);
      const bool impatient = excuse == Excuse::deadline && !connection.excused(limits);
      if (connection.input_ended || (excuse != Excuse::none && !impatient)) continue;
      report.breach(clause, Party::program, "lets go of a client whose end it has not read");
    }
  }

  void callee(const Nothing&, const Seen& seen, Report& report) const {
    const auto* const recv = seen.issued<Recv>();
    if (recv == nullptr || !recv->response || !*recv->response || (*recv->response)->empty()) return;
    const ConnectionState* const connection = seen.connection();
    if (connection == nullptr || !connection->input_ended) return;
    report.breach(clause, Party::interpreter, "answers bytes after the client's end");
  }
};

}  // namespace antiphon::verify
