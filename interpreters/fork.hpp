#pragma once

#include <cstdint>
#include <memory>

#include "core/handler.hpp"
#include "core/instructions.hpp"
#include "interpreters/adopted_listeners.hpp"
#include "interpreters/errand.hpp"

namespace antiphon {

/// Gives the instructions of Net their meaning on the Linux kernel: blocking calls, and fork(2) for Fork. It is as
/// bare as POSIX. What it adds is MSG_NOSIGNAL, close-on-exec and SO_REUSEADDR; what a call answers, it answers, and
/// it tries nothing again.
///
/// A waiting instruction waits in ppoll(2) first and then makes its call. So deadlines need no timers, and a call
/// on a socket that turns out not to be ready answers EAGAIN. Send, which seldom has to wait, is tried before that.
///
/// **Stop.** SIGTERM or SIGINT sent to the process that made the handler asks it and everything that it forked to
/// stop. Sent to another process, they ask that one alone. They are noticed by waiting instructions. A second
/// signal asks them to stop at once: every drain is over.
///
/// There is one of these in a process, made by its only thread: SIGTERM, SIGINT and SIGCHLD are blocked as long as
/// it lives. Its sockets are closed when it ends.
class ForkHandler {
 public:
  /// `adopted`: sockets that OpenSocket may answer with; null: there are none. The first process sees to the errand.
  /// Throws std::system_error or std::bad_alloc when the kernel has no room.
  explicit ForkHandler(AdoptedListeners* adopted = nullptr, Errand errand = {});
  ~ForkHandler();
  ForkHandler(const ForkHandler&) = delete;
  ForkHandler& operator=(const ForkHandler&) = delete;

  Result<Socket> operator()(const OpenSocket& instruction);
  Result<Endpoint> operator()(const Listen& instruction);
  Result<Socket> operator()(const Accept& instruction);
  Result<Socket> operator()(const Connect& instruction);
  Result<Bytes> operator()(const Recv& instruction);
  Result<std::size_t> operator()(const Send& instruction);
  Result<Unit> operator()(const ShutdownSend& instruction);
  Result<Unit> operator()(const Close& instruction);
  Result<Forked> operator()(const Fork& instruction);
  Result<Unit> operator()(const DiscardChildren& instruction);
  Result<Unit> operator()(const Sleep& instruction);
  Result<Unit> operator()(const Alarm& instruction);

  /// True in the process that made the handler, false in all that it forked. Those leave by `std::_Exit`: what the
  /// first process had in its buffers is not theirs to write.
  [[nodiscard]] bool in_first_process() const;

  /// Resets the connection.
  void disconnect(Socket socket);

  /// Forked by this process and not known to have ended. Without DiscardChildren all that it forked.
  [[nodiscard]] std::int64_t living_children() const;

  /// Children that ended by a signal or with a status other than 0, as far as they were reaped.
  [[nodiscard]] std::int64_t failed_children() const;

  /// Waits for the children of this process to end, for `at_most_ms` at most, and answers how many still live. For
  /// use once the program has ended. Once they are to stop at once they have a second, and are killed then.
  std::int64_t await_children(std::int64_t at_most_ms);

  /// Processes but for the first that an instruction answered STOPPING, or that were killed: the drain ended before
  /// they did.
  [[nodiscard]] std::int64_t cut() const;
  /// This process was asked to stop at once.
  [[nodiscard]] bool stops_at_once() const;

 private:
  class Kernel;
  std::unique_ptr<Kernel> kernel_;
  AdoptedListeners* adopted_;
};

static_assert(handles_all<ForkHandler, Net>);

}  // namespace antiphon
