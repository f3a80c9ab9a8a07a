#pragma once

#include "verify/contract.hpp"

namespace antiphon::verify {

/// A socket is used only while the process holds it, and so closed once. The interpreter promises a fresh name for
/// each new socket, the lowest free one.
struct OnlyWhileOpen {
  using Witness = Nothing;
  static constexpr Clause clause{"open", "sockets are used only while they are open, and closed once"};

  void caller(const Nothing&, const Seen& seen, Report& report) const {
    const auto* const of_process = seen.process_event();
    if (of_process == nullptr || seen.ended() != nullptr) return;
    std::visit(
        [&]<class I>(const Exchange<I>& exchange) {
          if constexpr (requires { socket_of(exchange.instruction); }) {
            const Socket socket = socket_of(exchange.instruction);
            if (seen.held(socket)) return;
            report.breach(clause, Party::program,
                          "uses socket " + std::to_string(socket.number) + ", which it does not hold");
          }
        },
        std::get<Issued>(of_process->what).exchange);
  }

  void callee(const Nothing&, const Seen& seen, Report& report) const {
    check_fresh(seen, seen.issued<OpenSocket>(), report);
    check_fresh(seen, seen.issued<Accept>(), report);
    check_fresh(seen, seen.issued<Connect>(), report);
  }

  static Socket socket_of(const Listen& listen) { return listen.listener; }
  static Socket socket_of(const Accept& accept) { return accept.listener; }
  static Socket socket_of(const Recv& recv) { return recv.from; }
  static Socket socket_of(const Send& send) { return send.to; }
  static Socket socket_of(const ShutdownSend& shutdown) { return shutdown.socket; }
  static Socket socket_of(const Close& close) { return close.socket; }

 private:
  template <class I>
  static void check_fresh(const Seen& seen, const Exchange<I>* exchange, Report& report) {
    if (exchange == nullptr || !exchange->response || !*exchange->response) return;
    const ProcessState* const one = seen.before.process(seen.process());
    int free = 0;
    while (one->table.contains(free)) ++free;
    if ((*exchange->response)->number == free) return;
    report.breach(clause, Party::interpreter,
                  "answers socket " + std::to_string((*exchange->response)->number) + " where " + std::to_string(free) +
                      " is the lowest free name");
  }
};

/// A process closes what it holds before it ends.
struct AllReleased {
  using Witness = Nothing;
  static constexpr Clause clause{"released", "a process that ends has closed every socket it held"};

  void caller(const Nothing&, const Seen& seen, Report& report) const {
    if (seen.ended() == nullptr) return;
    const ProcessState* const one = seen.before.process(seen.process());
    if (one->table.empty()) return;
    report.breach(clause, Party::program, "ends and still holds socket " + std::to_string(one->table.begin()->first));
  }
};

}  // namespace antiphon::verify
