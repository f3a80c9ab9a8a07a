#pragma once

#include "verify/contracts/owed.hpp"

namespace antiphon::verify {

/// Nothing is sent that was not received: what goes out on a connection is what came in on it, once and in order.
/// The interpreter promises that a Send carries some of what it was given, and a Recv no more than it asked for.
struct Echo {
  using Witness = Owing;
  static constexpr Clause clause{"echo", "what is sent was received on the same connection, once and in order"};
  Answers answers = Answers::everything;

  void caller(const Owing& owing, const Seen& seen, Report& report) const {
    const auto* const send = seen.issued<Send>();
    if (send == nullptr || report.knows(clause)) return;
    const auto& what = seen.held();
    if (!what || what->listener) return;
    const Owed* const owed = owing.find(what->connection);
    const Bytes& offered = send->instruction.bytes;
    if (owed == nullptr ? offered.empty() : owed->match(offered) != Match::no) return;
    report.breach(clause, Party::program,
                  "sends " + quoted(offered) + " where " + (owed == nullptr ? "nothing" : owed->quoted()) + " is owed");
  }

  void callee(const Owing&, const Seen& seen, Report& report) const {
    if (const auto* const send = seen.issued<Send>(); send != nullptr && send->response && *send->response) {
      const std::size_t given = send->instruction.bytes.size();
      if (**send->response > given) {
        report.breach(clause, Party::interpreter, "answers that more bytes were sent than the Send was given");
      } else if (**send->response == 0 && given > 0) {
        report.breach(clause, Party::interpreter, "answers that a Send with bytes to send sent none");
      }
    }
    if (const auto* const recv = seen.issued<Recv>(); recv != nullptr && recv->response && *recv->response) {
      if ((*recv->response)->size() <= recv->instruction.at_most) return;
      report.breach(clause, Party::interpreter, "answers more bytes than the Recv asked for");
    }
  }

  void move(Owing& owing, const Seen& seen) const {
    if (const auto* const recv = seen.issued<Recv>(); recv != nullptr && recv->response && *recv->response) {
      const auto& what = seen.held();
      if (!what || what->listener || (*recv->response)->empty()) return;
      Owed& owed = owing.edit(what->connection);
      if (answers == Answers::everything || !owed.heard()) owed.add(**recv->response);
    } else if (const auto* const send = seen.issued<Send>(); send != nullptr && send->response && *send->response) {
      const auto& what = seen.held();
      if (!what || what->listener) return;
      if (!owing.contains(what->connection)) return;
      Owed& owed = owing.edit(what->connection);
      owed.pay(send->instruction.bytes, std::min(**send->response, owed.bytes()));
    } else {
      for (const ConnectionId ended : seen.last_releases) owing.erase(ended);
    }
  }
};

}  // namespace antiphon::verify
