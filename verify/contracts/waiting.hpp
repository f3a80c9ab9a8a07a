#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "verify/contract.hpp"

namespace antiphon::verify {

/// A process's pending Recv or Send: whom it waits for, and how long.
struct WaitForClient {
  Socket client;
  Deadline until;
};

/// None if the process waits for something else.
inline std::optional<WaitForClient> waits_for_client(const ProcessState& process) {
  if (!process.waiting) return std::nullopt;
  if (const auto* recv = std::get_if<Exchange<Recv>>(&process.waiting->exchange)) {
    return WaitForClient{recv->instruction.from, recv->instruction.until};
  }
  if (const auto* send = std::get_if<Exchange<Send>>(&process.waiting->exchange)) {
    return WaitForClient{send->instruction.to, send->instruction.until};
  }
  return std::nullopt;
}

/// With an idle limit set: no session waits past it.
struct IdleLimit {
  using Witness = Nothing;
  static constexpr Clause clause{"idle-limit", "no session waits for its client past the idle limit"};
  std::int64_t limit_ms = forever_ms;

  void caller(const Nothing&, const Seen& seen, Report& report) const {
    if (const auto* const recv = seen.issued<Recv>()) check(seen, recv->instruction.until, report);
    if (const auto* const send = seen.issued<Send>()) check(seen, send->instruction.until, report);
  }

 private:
  void check(const Seen& seen, const Deadline& until, Report& report) const {
    if (until.wait_ms > limit_ms) {
      const std::string asks = until.wait_ms == forever_ms ? "for ever" : std::to_string(until.wait_ms) + " ms";
      report.breach(clause, Party::program,
                    "would wait " + asks + " for its client, where " + std::to_string(limit_ms) + " ms are the limit");
      return;
    }
    if (limit_ms == forever_ms) return;
    const ConnectionState* const connection = seen.connection();
    if (connection == nullptr || connection->waited_ms < limit_ms) return;
    report.breach(clause, Party::program, "waits again for a client that was silent for the whole idle limit");
  }
};

/// After a stop, what was accepted is served until the drain's deadline, and no longer.
struct Drained {
  using Witness = Nothing;
  static constexpr Clause clause{"drained", "after a stop, sessions are served until the drain's deadline, no longer"};
  std::int64_t limit_ms = 0;

  void caller(const Nothing&, const Seen& seen, Report& report) const {
    check(seen.issued<Recv>(), report);
    check(seen.issued<Send>(), report);
  }

 private:
  template <class I>
  void check(const Exchange<I>* exchange, Report& report) const {
    if (exchange == nullptr) return;
    const std::int64_t drain_ms = exchange->instruction.until.drain_ms;
    const bool cut = exchange->response == typename I::Response(failed(Errno::STOPPING));
    if (drain_ms > limit_ms) {
      report.breach(clause, Party::program,
                    "would go on for longer than the " + std::to_string(limit_ms) + " ms that a stop grants");
    } else if (cut && drain_ms < limit_ms) {
      report.breach(clause, Party::program,
                    "is cut off " + std::to_string(drain_ms) + " ms after the stop, where " + std::to_string(limit_ms) +
                        " ms are granted");
    }
  }
};

/// Clients between connecting and being accepted.
using Queueing = Parts<Mark<About::acceptance>>;

/// While fewer than a stated number of clients wait to be accepted, none is turned away.
struct Admission {
  using Witness = Queueing;
  static constexpr Clause clause{"admission", "a client is turned away only when many wait to be accepted"};
  std::size_t many = 64;

  void caller(const Queueing& queueing, const Seen& seen, Report& report) const {
    const ClientEvent* const client = seen.client_event();
    if (client == nullptr || client->kind != ClientEvent::Kind::turned_away || queueing.size() >= many) {
      return;
    }
    report.breach(clause, Party::program,
                  "client " + std::to_string(client->client) + " is turned away while " +
                      std::to_string(queueing.size()) + " wait to be accepted");
  }

  void move(Queueing& queueing, const Seen& seen) const {
    const ClientEvent* const client = seen.client_event();
    if (client == nullptr) return;
    if (client->kind == ClientEvent::Kind::connected) queueing.edit(client->client);
    if (client->kind == ClientEvent::Kind::accepted || client->kind == ClientEvent::Kind::reset ||
        client->kind == ClientEvent::Kind::met_reset || client->kind == ClientEvent::Kind::closed) {
      if (queueing.contains(client->client)) queueing.erase(client->client);
    }
  }
};

/// When the run comes to rest, every accepted client has somebody who waits for it, and every client that could
/// connect was accepted. Shares the witness of Admission.
struct NobodyWaits {
  using Witness = Queueing;
  static constexpr Clause clause{"nobody-waits", "when all is quiet, no client waits for the server"};

  void at_end(const Queueing& queueing, const Family& family, Report& report) const {
    queueing.for_each([&](PartKey client, const auto&) {
      report.breach(clause, Party::program, "client " + std::to_string(client) + " is connected and nobody accepts it");
    });
    std::set<ConnectionId> attended;
    family.processes().for_each([&](ProcessId id, const ProcessState& state) {
      if (state.waiting && std::holds_alternative<Exchange<Sleep>>(state.waiting->exchange)) {
        report.breach(clause, Party::program, "process " + std::to_string(id) + " sleeps for ever");
      }
      const auto wait = waits_for_client(state);
      const auto what = wait ? family.held(id, wait->client) : std::nullopt;
      if (what && !what->listener) attended.insert(what->connection);
    });
    family.connections().for_each([&](ConnectionId id, const ConnectionState&) {
      if (attended.contains(id)) return;
      report.breach(clause, Party::program, "an open connection is left and nobody waits for its client");
    });
  }
};

}  // namespace antiphon::verify
