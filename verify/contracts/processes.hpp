#pragma once

#include "verify/contract.hpp"

namespace antiphon::verify {

/// A child that has ended is not left unreaped while its parent lives.
struct Reaped {
  using Witness = Nothing;
  static constexpr Clause clause{"reaped", "no ended child stays unreaped"};

  void caller(const Nothing&, const Seen& seen, Report& report) const {
    if (seen.ended() == nullptr) return;
    const ProcessState& one = seen.actor();
    if (!one.parent) return;
    const Parenthood* const parent = seen.before.parenthood(*one.parent);
    if (parent == nullptr || parent->discards) return;
    report.breach(clause, Party::program,
                  "ends, and its parent, process " + std::to_string(*one.parent) + ", never reaps it");
  }
};

/// No process ends by an error that it did not handle. A server that cannot start listening says so and ends.
struct Handled {
  using Witness = Nothing;
  static constexpr Clause clause{"handled", "no process ends by an unhandled error"};

  void caller(const Nothing&, const Seen& seen, Report& report) const {
    const Ended* const ended = seen.ended();
    if (ended == nullptr || ended->result || ended->result.error() == Errno::STOPPING) return;
    const ProcessState& one = seen.actor();
    if (!one.parent && !one.accepts) return;
    report.breach(clause, Party::program, "ends by " + name_of(ended->result.error()) + ", which it did not handle");
  }
};

/// The acceptor ends only when it was asked to stop.
struct AcceptorLives {
  using Witness = Nothing;
  static constexpr Clause clause{"acceptor-lives", "the acceptor ends only when asked to stop"};

  void caller(const Nothing&, const Seen& seen, Report& report) const {
    if (seen.ended() == nullptr) return;
    const ProcessState& one = seen.actor();
    if (!one.accepts || one.stopping) return;
    report.breach(clause, Party::program, "accepts clients and ends, and nobody asked it to stop");
  }
};

}  // namespace antiphon::verify
