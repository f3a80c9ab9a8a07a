#pragma once

#include <string>

#include "verify/contract.hpp"

namespace antiphon::verify {

/// What a server has come to before its first Accept.
struct Start {
  static constexpr About about = About::process;

  bool listens = false;  ///< A Listen of it succeeded.
  bool failed = false;   ///< Something that it needs was refused.
  bool forked = false;   ///< It may have left the rest to a child.

  static constexpr std::tuple fields{Field{"listens", &Start::listens}, Field{"failed", &Start::failed},
                                     Field{"forked", &Start::forked}};
};

/// A server listens before it accepts. It may end before that only with an error, after something failed; or when it
/// was asked to stop, or has a child that may go on.
struct Starts {
  using Witness = Parts<Start>;  ///< By process; until it accepts.
  static constexpr Clause clause{"starts", "a server listens before it accepts, or ends and says what failed"};

  void caller(const Witness& starting, const Seen& seen, Report& report) const {
    const ProcessState* const one = server(seen);
    if (one == nullptr) return;
    const Start* const start = starting.find(seen.process());
    if (seen.issued<Accept>() != nullptr && (start == nullptr || !start->listens)) {
      report.breach(clause, Party::program, "accepts and has not listened");
    }
    const Ended* const ended = seen.ended();
    if (ended == nullptr || one->stopping || (start != nullptr && start->forked)) return;
    if (ended->result) {
      report.breach(clause, Party::program, "ends without an error, has accepted nobody and was not asked to stop");
    } else if (start == nullptr || !start->failed) {
      report.breach(clause, Party::program, "ends by " + name_of(ended->result.error()) + ", and nothing had failed");
    }
  }

  void move(Witness& starting, const Seen& seen) const {
    if (server(seen) == nullptr) return;
    if (seen.ended() != nullptr || seen.issued<Accept>() != nullptr) return starting.erase(seen.process());
    const auto& issued = std::get<Issued>(seen.process_event()->what);
    const bool fails = std::visit(
        [](const auto& exchange) { return exchange.response && !exchange.response->has_value(); }, issued.exchange);
    const auto* const listen = seen.issued<Listen>();
    if (fails) starting.edit(seen.process()).failed = true;
    if (!fails && listen != nullptr && listen->response) starting.edit(seen.process()).listens = true;
    if (issued.child) starting.edit(seen.process()).forked = true;
  }

 private:
  /// The process of the event if it is nobody's child and has not accepted yet.
  static const ProcessState* server(const Seen& seen) {
    if (seen.process_event() == nullptr) return nullptr;
    const ProcessState& one = seen.actor();
    return one.parent || one.accepts ? nullptr : &one;
  }
};

}  // namespace antiphon::verify
