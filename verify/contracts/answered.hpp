#pragma once

#include "verify/contracts/owed.hpp"

namespace antiphon::verify {

/// Every byte received is answered before its connection ends, and none is left when the run comes to rest. A client
/// that resets, the idle limit, a drain excuse the rest of the debt; so does a client that does not read, while the
/// session waits for it. Shares the witness of Echo.
struct Answered {
  using Witness = Owing;
  static constexpr Clause clause{"answered", "every byte received is sent back"};
  TimeLimits limits;  ///< A deadline before these excuses nothing.

  void caller(const Owing& owing, const Seen& seen, Report& report) const {
    for (const ConnectionId id : seen.last_releases) {
      const Owed* const owed = owing.find(id);
      if (owed == nullptr || owed->bytes() == 0) continue;
      if (owed->is_open()) report.leave_open("digests do not tell whether what a client got last was what it had sent");
      if (seen.before.connection(id)->excused(limits)) continue;
      report.breach(clause, Party::program, "lets go of its client and owes it " + owed->quoted());
    }
  }

  void at_end(const Owing& owing, const Family& family, Report& report) const {
    owing.for_each([&](ConnectionId id, const Owed& owed) {
      if (owed.bytes() == 0 || family.connection(id) == nullptr || waits_in_send(family, id)) return;
      report.breach(clause, Party::program, "comes to rest and still owes " + owed.quoted());
    });
  }

 private:
  static bool waits_in_send(const Family& family, ConnectionId id) {
    bool waits = false;
    family.processes().for_each([&](ProcessId process, const ProcessState& state) {
      if (!state.waiting) return;
      const auto* const send = std::get_if<Exchange<Send>>(&state.waiting->exchange);
      if (send == nullptr) return;
      const auto what = family.held(process, send->instruction.to);
      waits |= what && !what->listener && what->connection == id;
    });
    return waits;
  }
};

}  // namespace antiphon::verify
