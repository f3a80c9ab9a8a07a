#pragma once

#include <map>
#include <string>

#include "verify/contracts/owed.hpp"

namespace antiphon::verify {

/// What a client sent and has not got back, and what excuses the rest.
struct ClientLedger {
  static constexpr About about = About::client;

  std::string outstanding;
  bool has_sent = false;
  bool has_received = false;
  bool awaits_end = false;  ///< It has ended its side and not seen the server's end.
  bool excused = false;
  bool settled = false;  ///< The client is gone, and nothing is owed to it.

  static constexpr std::tuple fields{
      Field{"outstanding", &ClientLedger::outstanding},   Field{"has_sent", &ClientLedger::has_sent},
      Field{"has_received", &ClientLedger::has_received}, Field{"awaits_end", &ClientLedger::awaits_end},
      Field{"excused", &ClientLedger::excused},           Field{"settled", &ClientLedger::settled}};
};

struct ClientLedgers {
  Parts<ClientLedger> clients;
  Parts<Mark<About::acceptance>> accepted;
  Parts<Mark<About::time>> stopped;  ///< One, once the server was asked to stop.

  template <class Visit>
  void for_each_kind(Visit&& visit) {
    visit(clients);
    visit(accepted);
    visit(stopped);
  }
};

/// Whether the client got what it may ask for.
inline bool is_paid(const ClientLedger& ledger, Answers answers) {
  return answers == Answers::everything ? ledger.outstanding.empty() : ledger.has_received || !ledger.has_sent;
}

/// End to end, where the clients are seen too: every client gets back what it sent, byte for byte.
struct Delivered {
  using Witness = ClientLedgers;
  static constexpr Clause clause{"delivered", "every client gets back what it sent"};
  Answers answers = Answers::everything;
  TimeLimits limits;  ///< A deadline before these excuses nothing.
  Places places{};

  void caller(const ClientLedgers& ledgers, const Seen& seen, Report& report) const {
    const ClientEvent* const event = seen.client_event();
    if (event == nullptr || event->kind != ClientEvent::Kind::received) return;
    const ClientLedger* const ledger = ledgers.clients.find(event->client);
    const std::string_view outstanding = ledger == nullptr ? std::string_view{} : ledger->outstanding;
    if (outstanding.starts_with(event->bytes.content())) return;
    report.breach(clause, Party::program,
                  "client " + std::to_string(event->client) + " gets " + in_quotes(event->bytes.content()) + " where " +
                      in_quotes(outstanding) + " is due");
  }

  void move(ClientLedgers& ledgers, const Seen& seen) const {
    for (const ConnectionId id : seen.last_releases) {
      const ConnectionState& connection = *seen.before.connection(id);
      const bool refused = seen.excuse(connection, places) == Excuse::refused;
      if (!connection.client || !(connection.excused(limits) || refused)) continue;
      const ClientLedger* const ledger = ledgers.clients.find(*connection.client);
      if (ledger == nullptr || !ledger->settled) ledgers.clients.edit(*connection.client).excused = true;
    }
    if (std::holds_alternative<StopEvent>(seen.event)) ledgers.stopped.edit(0);
    const ClientEvent* const event = seen.client_event();
    if (event == nullptr) return;
    const auto ledger = [&]() -> ClientLedger& { return ledgers.clients.edit(event->client); };
    switch (event->kind) {
      case ClientEvent::Kind::accepted:
        ledgers.accepted.edit(event->client);
        break;
      case ClientEvent::Kind::connected:
        ledger();
        break;
      case ClientEvent::Kind::ended_side:
        ledger().awaits_end = true;
        break;
      case ClientEvent::Kind::received_end:
        ledger().awaits_end = false;
        break;
      case ClientEvent::Kind::sent:
        ledger().outstanding += event->bytes.content();
        ledger().has_sent = true;
        break;
      case ClientEvent::Kind::received:
        ledger().outstanding.erase(0, event->bytes.size());
        ledger().has_received = true;
        break;
      case ClientEvent::Kind::stopped_reading:
        ledger().excused = true;
        break;
      case ClientEvent::Kind::reset:
      case ClientEvent::Kind::closed:
      case ClientEvent::Kind::met_reset:
        settle(ledgers.clients, event->client, event->kind == ClientEvent::Kind::reset);
        break;
      default:
        break;
    }
  }

  /// The client is gone: forgets what was, unless it is still owed something.
  void settle(Parts<ClientLedger>& clients, ClientId client, bool excused) const {
    ClientLedger& ledger = clients.edit(client);
    if (!excused && !ledger.excused && !is_paid(ledger)) return;
    ledger = ClientLedger{};
    ledger.settled = true;
  }

  [[nodiscard]] bool is_paid(const ClientLedger& ledger) const { return verify::is_paid(ledger, answers); }

  void at_end(const ClientLedgers& ledgers, const Family& family, Report& report) const {
    std::map<ClientId, bool> open;  // excused or not
    family.connections().for_each([&](ConnectionId, const ConnectionState& connection) {
      if (connection.client) open[*connection.client] = connection.excused(limits);
    });
    ledgers.clients.for_each([&](PartKey key, const ClientLedger& ledger) {
      const auto client = static_cast<ClientId>(key);
      const bool excused = ledger.excused || (open.contains(client) && open[client]) ||
                           (!ledgers.accepted.contains(key) && ledgers.stopped.size() > 0);
      if (excused || ledger.settled || is_paid(ledger)) return;
      report.breach(clause, Party::program,
                    "client " + std::to_string(client) + " never gets back " + in_quotes(ledger.outstanding));
    });
  }
};

/// Where a run never ends, it ends for each client. Shares the witness of Delivered.
struct Served {
  using Witness = ClientLedgers;
  static constexpr Clause clause{"served", "no client waits for ever while the server goes on"};
  Answers answers = Answers::everything;

  void while_endless(const ClientLedgers& ledgers, Report& report) const {
    ledgers.clients.for_each([&](PartKey client, const ClientLedger& ledger) {
      const bool is_accepted = ledgers.accepted.contains(client);
      if (ledger.settled || ledger.excused || (!is_accepted && ledgers.stopped.size() > 0)) return;
      const std::string who = "client " + std::to_string(client);
      if (!is_accepted) {
        report.breach(clause, Party::program, "goes on for ever, and " + who + " is never accepted");
      } else if (!is_paid(ledger, answers)) {
        report.breach(clause, Party::program,
                      "goes on for ever, and " + who + " never gets back " + in_quotes(ledger.outstanding));
      } else if (ledger.awaits_end) {
        report.breach(clause, Party::program, "goes on for ever, and " + who + " waits for the server's end");
      }
    });
  }
};

}  // namespace antiphon::verify
