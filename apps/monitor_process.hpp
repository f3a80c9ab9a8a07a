#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "apps/exit_code.hpp"
#include "apps/metrics_board.hpp"
#include "apps/monitoring.hpp"
#include "apps/server_arguments.hpp"
#include "apps/server_log.hpp"
#include "interpreters/process_numbers.hpp"
#include "interpreters/recording.hpp"
#include "interpreters/shared_word.hpp"
#include "verify/judge.hpp"

namespace antiphon {

/// A process that judges what the processes of a forking server do. It is there before the server has a socket, so it
/// holds none of its, and it stays until all of them have ended, however they end. Only then it tells its verdict.
///
/// This is the server's side of it: the sink that all its processes send their events through. Each holds up to 32 KiB
/// back, under the same rules as a `TraceWriter`, so the monitor hears of a session's latest at its Close at the
/// latest. If the monitor ends early or does not read for ten seconds, then one line says so, serving goes on, and the
/// verdict is incomplete.
class MonitorProcess final : public TraceSink {
 public:
  /// To be made by the server's first process while it has one thread and no child. Throws std::system_error when the
  /// kernel has no room. `shown` is told what it finds, and may be null. `in_monitor` is what the monitor's process
  /// does first; then it closes a sandbox of its own, if the server is to have one.
  MonitorProcess(const verify::Expectations& expectations, OnViolation on_violation, const ServerLog& log,
                 SandboxMode sandbox, MetricsSlot* shown = nullptr, const std::function<void()>& in_monitor = {});
  ~MonitorProcess() override;
  MonitorProcess(const MonitorProcess&) = delete;
  MonitorProcess& operator=(const MonitorProcess&) = delete;

  ProcessId next_process() override { return processes_.next(); }
  void give_back(ProcessId process) override { processes_.give_back(process); }
  void write(const ProcessEvent& event) override;
  void flush() override;

  /// In the server's first process, once no other is waited for: nothing more will come. Waits for the verdict, which
  /// the monitor has told by then, and answers it.
  ExitCode finish();

 private:
  /// What all processes know of the way to the monitor.
  enum State : std::uint64_t {
    open,
    broken,    ///< A process could not send: events are missing.
    over,      ///< Nothing more is sent, and nothing is missing.
    dismissed  ///< Over, and no verdict is asked for.
  };

  [[noreturn]] void judge_and_leave(const verify::Expectations& expectations);
  void give_up(int error);
  void tell_blindness(const char* why) const;
  void end_with_the_first() const;

  OnViolation on_violation_;
  const ServerLog* log_;
  MetricsSlot* shown_;
  int first_;        ///< The pid of the server's first process.
  int monitor_ = 0;  ///< And of the monitor; 0 once it has ended.
  int socket_ = -1;
  std::string held_back_;
  SharedWord state_;
  ProcessNumbers processes_;
};

}  // namespace antiphon
