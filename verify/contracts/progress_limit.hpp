#pragma once

#include <cstdint>
#include <string>

#include "verify/contract.hpp"

namespace antiphon::verify {

/// What a process does about its alarm since it last received bytes.
struct Pace {
  static constexpr About about = About::process;

  bool set = false;      ///< It set one.
  bool tried = false;    ///< And sent under it, or might have waited without.
  bool stalled = false;  ///< A Send that did not wait left something: from then on each counts as one that does.

  static constexpr std::tuple fields{Field{"set", &Pace::set}, Field{"tried", &Pace::tried},
                                     Field{"stalled", &Pace::stalled}};
};

/// With a progress limit set: a client that takes its answer bit by bit does not hold its session for longer. The alarm
/// is for what is sent alone: a client's silence has its own limit. The first Send needs none if it does not wait; to
/// go on with what it left takes one.
struct ProgressLimit {
  using Witness = Parts<Pace>;
  static constexpr Clause clause{
      "progress-limit", "what was received and has to wait is sent under one alarm, within the progress limit"};
  std::int64_t limit_ms = forever_ms;

  void caller(const Witness& paces, const Seen& seen, Report& report) const {
    if (limit_ms == forever_ms || seen.process_event() == nullptr) return;
    const Pace* const known = paces.find(seen.process());
    const Pace pace = known == nullptr ? Pace{} : *known;
    const std::int64_t alarm_ms = seen.actor().alarm_ms;
    if (keeps_client(pace, seen)) {
      check_send(pace, alarm_ms, report);
    } else if (seen.issued<Recv>() != nullptr && alarm_ms != forever_ms) {
      report.breach(clause, Party::program, "waits for its client with an alarm set");
    } else if (const auto* const alarm = seen.issued<Alarm>();
               alarm != nullptr && pace.tried && alarm->instruction.wait_ms != forever_ms) {
      report.breach(clause, Party::program, "sets its alarm again for what it received once");
    }
  }

  void move(Witness& paces, const Seen& seen) const {
    if (limit_ms == forever_ms || seen.process_event() == nullptr) return;
    const ProcessId process = seen.process();
    const auto* const recv = seen.issued<Recv>();
    const bool receives = recv != nullptr && recv->response && *recv->response && !(*recv->response)->empty();
    if (receives || seen.ended() != nullptr) {
      if (paces.contains(process)) paces.erase(process);
    } else if (const auto* const alarm = seen.issued<Alarm>();
               alarm != nullptr && alarm->instruction.wait_ms != forever_ms) {
      paces.edit(process).set = true;
    } else if (const auto* const send = seen.issued<Send>(); send != nullptr) {
      const Pace* const known = paces.find(process);
      if (keeps_client(known == nullptr ? Pace{} : *known, seen)) {
        paces.edit(process).tried = true;
      } else if (leaves_something(*send)) {
        paces.edit(process).stalled = true;
      }
    }
  }

 private:
  /// An interrupted one has not tried.
  static bool leaves_something(const Exchange<Send>& send) {
    return send.response && *send.response != Result<std::size_t>(failed(Errno::INTR)) &&
           send.response->value_or(0) < send.instruction.bytes.size();
  }

  static bool keeps_client(const Pace& pace, const Seen& seen) {
    const auto* const send = seen.issued<Send>();
    return send != nullptr && (send->instruction.until.wait_ms > 0 || pace.stalled);
  }

  void check_send(const Pace& pace, std::int64_t alarm_ms, Report& report) const {
    const std::string limit = ", where " + std::to_string(limit_ms) + " ms are the limit";
    if (alarm_ms == forever_ms) {
      report.breach(clause, Party::program, "sends without an alarm" + limit);
    } else if (alarm_ms > limit_ms) {
      report.breach(clause, Party::program, "sends under an alarm of " + std::to_string(alarm_ms) + " ms" + limit);
    } else if (!pace.set) {
      report.breach(clause, Party::program, "sends under an alarm that it set before it received");
    }
  }
};

}  // namespace antiphon::verify
