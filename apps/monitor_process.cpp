#include "apps/monitor_process.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <vector>

#include "apps/helper_process.hpp"
#include "apps/sandboxing.hpp"
#include "interpreters/event_bytes.hpp"
#include "interpreters/trace_writer.hpp"
#include "verify/monitor.hpp"

namespace antiphon {

namespace {

constexpr std::size_t most_to_send = 32'768;

/// Longer than any message: what is held back, and one event more.
constexpr std::size_t longest_message = std::size_t{4} << 20U;

constexpr time_t patience_s = 10;

/// What tells the server's first process to end at once. It has no other meaning here or elsewhere.
int abort_signal() { return SIGRTMIN; }

// -- The monitor's side ------------------------------------------------------------------------------------------

/// It reads its socket, writes lines, and may end the server.
void close_sandbox(OnViolation on_violation) {
  std::vector<sandbox::Need> needs{{"monitor", sandbox::call("recvfrom"), "events"},
                                   {"monitor", sandbox::send_on_connection(), "the verdict"}};
  const bool aborts = on_violation == OnViolation::abort;
  if (aborts) {
    needs.push_back({"monitor", sandbox::call("getppid"), "the server, as long as it is there"});
    needs.push_back(
        {"monitor",
         sandbox::call("kill", "SIGRTMIN", {{1, ~std::uint32_t{0}, static_cast<std::uint64_t>(abort_signal())}}),
         "the server's end"});
  }
  close_helper(needs, aborts);
}

/// Judges what is in a message. False: something is no event.
bool judge_message(verify::Monitor& judge, std::string_view message) {
  try {
    while (!message.empty()) {
      const auto event = take_event(message);
      if (!event) return false;
      judge.write(*event);
    }
  } catch (const std::bad_alloc&) {
    judge.go_blind();
  }
  return true;
}

/// Judges what comes in until no sender is left. False: something came that is no event.
bool judge_all(verify::Monitor& judge) {
  std::vector<char> message(longest_message);
  for (;;) {
    const ssize_t size = recv(STDIN_FILENO, message.data(), message.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return size == 0;
    if (!judge_message(judge, {message.data(), static_cast<std::size_t>(size)})) return false;
  }
}

}  // namespace

MonitorProcess::MonitorProcess(const verify::Expectations& expectations, OnViolation on_violation, const ServerLog& log,
                               SandboxMode sandbox, MetricsSlot* shown, const std::function<void()>& in_monitor)
    : on_violation_(on_violation), log_(&log), shown_(shown), first_(getpid()) {
  const auto work = [&] {
    if (in_monitor) in_monitor();
    if (sandbox == SandboxMode::on) close_sandbox(on_violation);
    judge_and_leave(expectations);
  };
  const HelperProcess helper = start_helper(SOCK_SEQPACKET, "cannot start the monitor", work);
  monitor_ = helper.pid;
  socket_ = helper.socket;
  const timeval patience{patience_s, 0};
  for (const int direction : {SO_SNDTIMEO, SO_RCVTIMEO}) {
    setsockopt(socket_, SOL_SOCKET, direction, &patience, sizeof(patience));
  }
  if (on_violation == OnViolation::abort) {
    std::signal(abort_signal(), [](int) { std::_Exit(status_of(ExitCode::violated)); });
  }
}

void MonitorProcess::judge_and_leave(const verify::Expectations& expectations) {
  // Where there is no memory for a verdict, it is what is known.
  ExitCode verdict = ExitCode::incomplete;
  const auto alarm = [&](const verify::Violation& violation) {
    verdict = ExitCode::violated;
    tell_violation(*log_, violation, "");
    if (shown_ != nullptr) shown_->note_violation(violation.clause.name);
    if (on_violation_ == OnViolation::log) return;
    state_->store(over);
    if (getppid() == first_) kill(first_, abort_signal());
    std::_Exit(status_of(ExitCode::violated));
  };
  verify::Monitor monitor(expectations, alarm, [this] { tell_blindness("there is no memory to judge it"); });
  const bool whole = judge_all(monitor);
  if (state_->load() == dismissed) std::_Exit(status_of(ExitCode::holds));
  if_memory_allows([&] {
    MonitorReport report;
    report.add(monitor.finish(), "");
    if (!whole || state_->load() == broken) report.add_remark("events were lost on their way to it");
    report.tell(*log_);
    verdict = report.code();
  });
  const char code = static_cast<char>(status_of(verdict));
  send(STDIN_FILENO, &code, sizeof(code), MSG_NOSIGNAL);
  std::_Exit(status_of(verdict));
}

// -- The server's side -------------------------------------------------------------------------------------------

MonitorProcess::~MonitorProcess() {
  // A server that did not come to serve has no verdict.
  if (monitor_ != 0) state_->store(dismissed);
  close(socket_);
}

void MonitorProcess::write(const ProcessEvent& event) {
  // Also once nothing is sent any more: the server may just be being aborted.
  if (on_violation_ == OnViolation::abort && is_birth(event)) end_with_the_first();
  if (state_->load(std::memory_order_relaxed) != open) return;
  const std::size_t whole = held_back_.size();
  try {
    append_bytes(held_back_, event);
  } catch (const std::bad_alloc&) {
    held_back_.resize(whole);
    flush();
    return give_up(ENOMEM);
  }
  if (held_back_.size() >= most_to_send || is_due_at_once(event)) flush();
}

void MonitorProcess::flush() {
  while (!held_back_.empty() && state_->load(std::memory_order_relaxed) == open) {
    // A message comes in whole or not at all.
    if (send(socket_, held_back_.data(), held_back_.size(), MSG_NOSIGNAL) >= 0) break;
    if (errno != EINTR) give_up(errno);
  }
  held_back_.clear();
}

ExitCode MonitorProcess::finish() {
  flush();
  // Processes that did not end in time still have the socket: for the monitor it ends here.
  std::uint64_t before = open;
  state_->compare_exchange_strong(before, over);
  shutdown(socket_, SHUT_WR);
  char code = 0;
  ssize_t size = -1;
  do {
    size = recv(socket_, &code, sizeof(code), 0);
  } while (size < 0 && errno == EINTR);
  if (size == sizeof(code)) {
    waitpid(std::exchange(monitor_, 0), nullptr, 0);
    return ExitCode{code};
  }
  log_->tell({.level = LogLevel::error,
              .event = "verdict",
              .message = "incomplete: no verdict came from its process",
              .fields = {{"verdict", "incomplete"}},
              .origin = "monitor"});
  return ExitCode::incomplete;
}

void MonitorProcess::give_up(int error) {
  std::uint64_t before = open;
  if (!state_->compare_exchange_strong(before, broken)) return;
  tell_blindness(error == EAGAIN ? "it does not read" : std::strerror(error));
}

void MonitorProcess::tell_blindness(const char* why) const {
  if (shown_ != nullptr) shown_->unjudged.store(true, std::memory_order_relaxed);
  tell_blind(*log_, "", why);
}

/// In a process that was just forked: who aborts the server ends its first process, and this goes with it.
void MonitorProcess::end_with_the_first() const {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != first_) std::_Exit(status_of(ExitCode::violated));
}

}  // namespace antiphon
