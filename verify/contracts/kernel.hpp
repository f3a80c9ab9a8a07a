#pragma once

#include <string>

#include "verify/contract.hpp"

namespace antiphon::verify {

/// What is under way between a client and the server, where the clients are seen too.
struct UnderWay {
  static constexpr About about = About::connection;

  std::string to_server;  ///< Sent by the client, not received by the server,
  std::string to_client;  ///< and the other way round.

  static constexpr std::tuple fields{Field{"to_server", &UnderWay::to_server},
                                     Field{"to_client", &UnderWay::to_client}};
};

/// What the interpreter and the kernel under it promise: bytes arrive once and in order, and nothing comes of a socket
/// that is not open, or goes out on a side that was ended. Other contracts have the promises about what they watch.
struct Kernel {
  using Witness = Parts<UnderWay>;  ///< By client.
  static constexpr Clause clause{"kernel",
                                 "what is sent arrives, once and in order; what is not open answers with failure"};

  void callee(const Witness& under_way, const Seen& seen, Report& report) const {
    if (const ClientEvent* const event = seen.client_event()) return check_client(under_way, *event, report);
    if (seen.exchange() == nullptr) return;
    if (!seen.held()) {
      std::visit([&](const auto& exchange) { check_not_open(exchange, report); }, *seen.exchange());
    }
    if (const auto* const recv = seen.issued<Recv>(); recv != nullptr && under_way.size() > 0)
      check_arrival(under_way, seen, *recv, report);
    if (const auto* const send = seen.issued<Send>()) check_side(seen, *send, report);
  }

  void move(Witness& under_way, const Seen& seen) const {
    if (const ClientEvent* const event = seen.client_event()) return move(under_way, *event);
    if (under_way.size() == 0) return;  // no client is seen
    if (const auto* const recv = seen.issued<Recv>(); recv != nullptr && answered(*recv)) {
      const auto client = client_of(seen);
      if (client && under_way.contains(*client)) under_way.edit(*client).to_server.erase(0, (*recv->response)->size());
    }
    if (const auto* const send = seen.issued<Send>(); send != nullptr && answered(*send)) {
      const auto client = client_of(seen);
      const std::string_view sent = send->instruction.bytes.content().substr(0, **send->response);
      if (client && under_way.contains(*client)) under_way.edit(*client).to_client += sent;
    }
  }

 private:
  template <class I>
  static bool answered(const Exchange<I>& exchange) {
    return exchange.response && exchange.response->has_value();
  }

  static std::optional<ClientId> client_of(const Seen& seen) {
    const ConnectionState* const connection = seen.connection();
    return connection == nullptr ? std::nullopt : connection->client;
  }

  template <class I>
  static void check_not_open(const Exchange<I>& exchange, Report& report) {
    if constexpr (OnSocket<I>) {
      if (!answered(exchange)) return;
      report.breach(clause, Party::interpreter,
                    "answers with success for socket " + std::to_string(socket_of(exchange.instruction).number) +
                        ", which is not open");
    }
  }

  static void check_side(const Seen& seen, const Exchange<Send>& send, Report& report) {
    const ConnectionState* const connection = seen.connection();
    if (connection == nullptr || !connection->side_ended || !answered(send) || send.instruction.bytes.empty()) return;
    report.breach(clause, Party::interpreter, "answers that bytes went out on a side that was ended");
  }

  static void check_arrival(const Witness& under_way, const Seen& seen, const Exchange<Recv>& recv, Report& report) {
    if (!answered(recv)) return;
    const auto client = client_of(seen);
    const UnderWay* const one = client ? under_way.find(*client) : nullptr;
    const std::string_view received = (*recv.response)->content();
    if (one == nullptr || one->to_server.starts_with(received)) return;
    report.breach(clause, Party::interpreter,
                  "answers " + in_quotes(received) + " where client " + std::to_string(*client) + " had sent " +
                      in_quotes(one->to_server));
  }

  static void check_client(const Witness& under_way, const ClientEvent& event, Report& report) {
    if (event.kind != ClientEvent::Kind::received) return;
    const UnderWay* const one = under_way.find(event.client);
    if (one != nullptr && one->to_client.starts_with(event.bytes.content())) return;
    report.breach(clause, Party::interpreter,
                  "client " + std::to_string(event.client) + " receives " + in_quotes(event.bytes.content()) +
                      " where " + in_quotes(one == nullptr ? "" : one->to_client) + " was sent to it");
  }

  static void move(Witness& under_way, const ClientEvent& event) {
    switch (event.kind) {
      case ClientEvent::Kind::connected:
        under_way.put(event.client, UnderWay{});
        break;
      case ClientEvent::Kind::sent:
        under_way.edit(event.client).to_server += event.bytes.content();
        break;
      case ClientEvent::Kind::received:
        under_way.edit(event.client).to_client.erase(0, event.bytes.size());
        break;
      default:
        break;
    }
  }
};

}  // namespace antiphon::verify
