#pragma once

#include "verify/contract.hpp"

namespace antiphon::verify {

/// A connection is let go of only after the client's end was read, so that closing never meets unread input and
/// resets. A client's reset, a deadline, a drain excuse it, and so does a Fork that failed: that client is refused.
struct InputRead {
  using Witness = Nothing;
  static constexpr Clause clause{"input-read", "no client is let go of before its end was read"};

  void caller(const Nothing&, const Seen& seen, Report& report) const {
    for (const ConnectionId id : seen.last_releases()) {
      const ConnectionState& connection = *seen.before.connection(id);
      const bool refused = !connection.served && seen.before.process(seen.process())->fork_failed;
      if (connection.input_ended || connection.excuse != Excuse::none || refused) continue;
      report.breach(clause, Party::program, "lets go of a client whose end it has not read");
    }
  }
};

}  // namespace antiphon::verify
