#pragma once

#include "verify/contract.hpp"

namespace antiphon::verify {

/// The acceptor never talks to a client, and a session never accepts.
struct Roles {
  using Witness = Nothing;
  static constexpr Clause clause{"roles", "the acceptor never talks to a client; a session never accepts"};

  void caller(const Nothing&, const Seen& seen, Report& report) const {
    if (seen.process_event() == nullptr || seen.ended() != nullptr) return;
    const ProcessState& one = seen.actor();
    if (one.accepts &&
        (seen.issued<Recv>() != nullptr || seen.issued<Send>() != nullptr || seen.issued<ShutdownSend>() != nullptr)) {
      report.breach(clause, Party::program, "accepts clients and talks to one");
    }
    if (one.parent && seen.issued<Accept>() != nullptr) {
      report.breach(clause, Party::program, "is a session and accepts");
    }
  }
};

/// A session that talks to its client holds nothing else: neither the listener nor another client.
struct OwnConnection {
  using Witness = Nothing;
  static constexpr Clause clause{"own-connection", "a session holds its own connection only"};

  void caller(const Nothing&, const Seen& seen, Report& report) const {
    if (const auto* const recv = seen.issued<Recv>()) check(seen, recv->instruction.from, report);
    if (const auto* const send = seen.issued<Send>()) check(seen, send->instruction.to, report);
  }

 private:
  static void check(const Seen& seen, Socket own, Report& report) {
    const ProcessState& one = seen.actor();
    if (!one.parent) return;
    for (const auto& [name, held] : one.table) {
      if (name == own.number) continue;
      report.breach(clause, Party::program,
                    "talks to its client and also holds socket " + std::to_string(name) +
                        (held.listener ? ", the listener" : ", another connection"));
    }
  }
};

}  // namespace antiphon::verify
