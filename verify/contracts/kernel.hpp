#pragma once

#include <string>

#include "core/digest.hpp"
#include "verify/contract.hpp"
#include "verify/contracts/owed.hpp"

namespace antiphon::verify {

/// What is under way between a client and the server, where the clients are seen too.
struct UnderWay {
  static constexpr About about = About::connection;

  Owed to_server;  ///< Sent by the client, not received by the server,
  Owed to_client;  ///< and the other way round.

  void identify(Digest& digest) const {
    to_server.identify(digest);
    to_client.identify(digest);
  }
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
      if (client && under_way.contains(*client)) arrive(under_way.edit(*client).to_server, **recv->response);
    }
    if (const auto* const send = seen.issued<Send>(); send != nullptr && answered(*send)) {
      const auto client = client_of(seen);
      const Bytes sent = send->instruction.bytes.take(**send->response);
      if (client && under_way.contains(*client)) under_way.edit(*client).to_client.add(sent);
    }
  }

 private:
  template <class I>
  static bool answered(const Exchange<I>& exchange) {
    return exchange.response && exchange.response->has_value();
  }

  /// What should not have come, or not yet, was told; what is under way is not known any more.
  static void arrive(Owed& under_way, const Bytes& bytes) {
    if (under_way.match(bytes) == Match::no) {
      under_way = {};
    } else {
      under_way.pay(bytes, bytes.size());
    }
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
    const Bytes& received = **recv.response;
    if (one == nullptr || one->to_server.match(received) != Match::no) return;
    report.breach(clause, Party::interpreter,
                  "answers " + quoted(received) + " where client " + std::to_string(*client) + " had sent " +
                      one->to_server.quoted());
  }

  static void check_client(const Witness& under_way, const ClientEvent& event, Report& report) {
    if (event.kind != ClientEvent::Kind::received) return;
    const UnderWay* const one = under_way.find(event.client);
    const Owed no_bytes;
    const Owed& sent = one == nullptr ? no_bytes : one->to_client;
    if (sent.match(event.bytes) != Match::no) return;
    report.breach(clause, Party::interpreter,
                  "client " + std::to_string(event.client) + " receives " + quoted(event.bytes) + " where " +
                      sent.quoted() + " was sent to it");
  }

  static void move(Witness& under_way, const ClientEvent& event) {
    switch (event.kind) {
      case ClientEvent::Kind::connected:
        under_way.put(event.client, UnderWay{});
        break;
      case ClientEvent::Kind::sent:
        under_way.edit(event.client).to_server.add(event.bytes);
        break;
      case ClientEvent::Kind::received:
        arrive(under_way.edit(event.client).to_client, event.bytes);
        break;
      default:
        break;
    }
  }
};

}  // namespace antiphon::verify
