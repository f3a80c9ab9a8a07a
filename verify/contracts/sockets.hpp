#pragma once

#include "verify/contract.hpp"

namespace antiphon::verify {

/// A socket is used only while the process holds it, and so closed once. The interpreter promises a fresh name for
/// each new socket, the lowest free one.
struct OnlyWhileOpen {
  using Witness = Nothing;
  static constexpr Clause clause{"open", "sockets are used only while they are open, and closed once"};

  void caller(const Nothing&, const Seen& seen, Report& report) const {
    if (seen.exchange() == nullptr || seen.held()) return;
    std::visit(
        [&]<class I>(const Exchange<I>& exchange) {
          if constexpr (OnSocket<I>) {
            report.breach(
                clause, Party::program,
                "uses socket " + std::to_string(socket_of(exchange.instruction).number) + ", which it does not hold");
          }
        },
        *seen.exchange());
  }

  void callee(const Nothing&, const Seen& seen, Report& report) const {
    check_fresh(seen, seen.issued<OpenSocket>(), report);
    check_fresh(seen, seen.issued<Accept>(), report);
    check_fresh(seen, seen.issued<Connect>(), report);
  }

 private:
  template <class I>
  static void check_fresh(const Seen& seen, const Exchange<I>* exchange, Report& report) {
    if (exchange == nullptr || !exchange->response || !*exchange->response) return;
    const ProcessState& one = seen.actor();
    int free = 0;
    while (one.table.contains(free)) ++free;
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
    const ProcessState& one = seen.actor();
    if (one.table.empty()) return;
    report.breach(clause, Party::program, "ends and still holds socket " + std::to_string(one.table.begin()->first));
  }
};

}  // namespace antiphon::verify
