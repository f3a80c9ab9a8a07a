#pragma once

#include <deque>
#include <map>
#include <string>

#include "verify/contracts/owed.hpp"

namespace antiphon::verify {

/// What a client sent and has not got back, and what excuses the rest.
struct ClientLedger {
  std::string outstanding;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  bool accepted = false;
  bool excused = false;

  static constexpr std::tuple fields{
      Field{"outstanding", &ClientLedger::outstanding}, Field{"received", &ClientLedger::received},
      Field{"accepted", &ClientLedger::accepted}, Field{"excused", &ClientLedger::excused}};
};

struct ClientLedgers {
  std::map<ClientId, ClientLedger> clients;
  bool stopped = false;

  static constexpr std::tuple fields{Field{"clients", &ClientLedgers::clients},
                                     Field{"stopped", &ClientLedgers::stopped}};
};

/// End to end, where the clients are seen too: every client gets back what it sent, byte for byte.
struct Delivered {
  using Witness = ClientLedgers;
  static constexpr Clause clause{"delivered", "every client gets back what it sent"};
  Answers answers = Answers::everything;
  std::int64_t idle_ms = 0;  ///< The idle limit: a deadline before it excuses nothing.
  std::int64_t max_connections = 0;

  void caller(const ClientLedgers& ledgers, const Seen& seen, Report& report) const {
    const ClientEvent* const event = seen.client_event();
    if (event == nullptr || event->kind != ClientEvent::Kind::received) return;
    const auto ledger = ledgers.clients.find(event->client);
    std::string_view outstanding;
    if (ledger != ledgers.clients.end()) outstanding = ledger->second.outstanding;
    if (outstanding.starts_with(event->bytes.content())) return;
    report.breach(clause, Party::program,
                  "client " + std::to_string(event->client) + " gets " + in_quotes(event->bytes.content()) + " where " +
                      in_quotes(outstanding) + " is due");
  }

  void move(ClientLedgers& ledgers, const Seen& seen) const {
    for (const ConnectionId id : seen.last_releases) {
      const ConnectionState& connection = *seen.before.connection(id);
      const bool refused = seen.excuse(connection, max_connections) == Excuse::refused;
      if (connection.client && (connection.excused(idle_ms) || refused)) {
        ledgers.clients[*connection.client].excused = true;
      }
    }
    if (std::holds_alternative<StopEvent>(seen.event)) ledgers.stopped = true;
    const ClientEvent* const event = seen.client_event();
    if (event == nullptr) return;
    ClientLedger& ledger = ledgers.clients[event->client];
    switch (event->kind) {
      case ClientEvent::Kind::accepted:
        ledger.accepted = true;
        break;
      case ClientEvent::Kind::sent:
        ledger.outstanding += event->bytes.content();
        ledger.sent += event->bytes.size();
        break;
      case ClientEvent::Kind::received:
        ledger.outstanding.erase(0, event->bytes.size());
        ledger.received += event->bytes.size();
        break;
      case ClientEvent::Kind::reset:
      case ClientEvent::Kind::stopped_reading:
        ledger.excused = true;
        break;
      default:
        break;
    }
  }

  void at_end(const ClientLedgers& ledgers, const Family& family, Report& report) const {
    std::map<ClientId, bool> open;  // excused or not
    for (const auto& [id, connection] : family.connections()) {
      if (connection.client) open[*connection.client] = connection.excused(idle_ms);
    }
    for (const auto& [client, ledger] : ledgers.clients) {
      const bool excused =
          ledger.excused || (open.contains(client) && open[client]) || (!ledger.accepted && ledgers.stopped);
      const bool paid =
          answers == Answers::everything ? ledger.outstanding.empty() : ledger.received > 0 || ledger.sent == 0;
      if (excused || paid) continue;
      report.breach(clause, Party::program,
                    "client " + std::to_string(client) + " never gets back " + in_quotes(ledger.outstanding));
    }
  }
};

}  // namespace antiphon::verify
