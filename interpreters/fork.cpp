#include "interpreters/fork.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <map>
#include <new>
#include <optional>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "core/pool.hpp"
#include "interpreters/family_stop.hpp"
#include "interpreters/kernel.hpp"
#include "interpreters/origin.hpp"
#include "interpreters/socket_table.hpp"

namespace antiphon {

namespace {

using namespace kernel;

Buffer* buffer_or_null(std::size_t capacity) {
  try {
    return Buffer::make(capacity);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

sigset_t signals_taken() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&set, signal);
  return set;
}

}  // namespace

// -- What a process knows ----------------------------------------------------------------------------------------

/// Signals come in as readable descriptors, never as interruptions. `signals_` belongs to whoever reads it: in each
/// process it tells of that process's own signals.
class ForkHandler::Kernel {
 public:
  explicit Kernel(Errand errand) : errand_(std::move(errand)) {
    pool::keep_reserve();
    const sigset_t taken = signals_taken();
    pthread_sigmask(SIG_BLOCK, &taken, &mask_before_);
    // Where SIGCHLD is ignored (by whoever started us), children vanish uncounted.
    struct sigaction plain{};
    plain.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &plain, &on_child_before_);
  }
  ~Kernel() {
    sockets.for_each([](int descriptor) { ::close(descriptor); });
    take_signals();
    sigaction(SIGCHLD, &on_child_before_, nullptr);
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  /// Waits until `descriptor` is ready for `events` (POLLIN, POLLOUT), or for one of the reasons of a Deadline.
  /// Descriptor -1 is never ready. `latest`: when the wait ends, if not before.
  Result<Unit> wait(int descriptor, short events, const Deadline& until, Nanoseconds latest = never) {
    calls_since_wait_ = 0;
    Nanoseconds time = now();
    const Nanoseconds expiry = std::min(after(time, until.wait_ms), latest);
    for (;; time = now()) {
      const Nanoseconds cut = stop_.cut_of(until);
      if (cut <= time) return stopping();

      std::array<pollfd, 4> watched{pollfd{descriptor, events, 0}, pollfd{signals_.number(), POLLIN, 0},
                                    pollfd{stop_.descriptor(), POLLIN, 0}, pollfd{errand(), POLLIN, 0}};
      const int ready = poll_until(watched, std::min(expiry, cut), time);
      if (ready < 0) return last_error();
      if (ready == 0) return cut <= expiry ? stopping() : failed(Errno::EXPIRED);
      const bool news = watched[1].revents != 0 || watched[2].revents != 0;
      if (watched[1].revents != 0) take_signals();
      if (watched[2].revents != 0) stop_.take_news();
      if (watched[3].revents != 0) errand_.run();
      if (watched[0].revents != 0 && (!news || !stop_.cuts_now(until))) return Unit{};
    }
  }

  /// Whether a call may be tried before the wait for it. Now and then none may, or a process whose calls all succeed
  /// would never hear of a stop; none may once that is known of, nor where a stop is to be heard of at once.
  bool may_go_ahead(const Deadline& until) {
    constexpr unsigned calls_between_waits = 16;
    return until.drain_ms > 0 && stop_.cut_of(until) == never && ++calls_since_wait_ <= calls_between_waits;
  }

  /// Like `wait`, for a call that cannot wait: tells only whether it is too late for it.
  Result<Unit> not_stopped(const Deadline& until) {
    const auto over = wait(-1, 0, {.wait_ms = 0, .drain_ms = until.drain_ms});
    if (!over && over.error() == Errno::STOPPING) return over;
    return Unit{};
  }

  Result<Forked> fork_process(const Fork& instruction) {
    if (discarding_) reap();
    if (living() >= instruction.at_most) return failed(Errno::AGAIN);
    std::optional<Origin> origin;
    if (instruction.at_most_alike != unlimited) {
      origin = origin_of(sockets.at(instruction.client));
      const auto admitted = origins_.admit(*origin, instruction.at_most_alike);
      if (!admitted) return failed(admitted.error());
    }
    const auto place = place_for_child(origin);
    if (!place) {
      discount(origin);
      return failed(Errno::NOMEM);
    }
    const pid_t child = fork();
    if (child < 0) {
      const auto error = last_error();
      forget_child(nobody);
      return error;
    }
    if (child > 0) {
      auto node = children_.extract(*place);
      node.key() = child;
      children_.insert(std::move(node));
      return Parent{Pid{child}};
    }
    first_ = false;
    discarding_ = false;
    forget_children();
    failed_ = killed_ = 0;
    alarm = never;
    return Child{};
  }

  void discard_children() {
    discarding_ = true;
    reap();
  }

  std::int64_t await_children(std::int64_t at_most_ms) {
    Nanoseconds end = after(now(), at_most_ms);
    for (;;) {
      reap();
      const Nanoseconds time = now();
      if (stop_.at_once_at() != never) end = std::min(end, stop_.at_once_at() + at_once_grace);
      if (children_.empty()) return 0;
      if (time >= end) break;
      std::array<pollfd, 2> watched{pollfd{signals_.number(), POLLIN, 0}, pollfd{errand(), POLLIN, 0}};
      if (poll_until(watched, end, time) < 0) break;
      take_signals();
      if (watched[1].revents != 0) errand_.run();
    }
    if (stop_.is_at_once()) kill_children();
    return living();
  }

  [[nodiscard]] bool first() const { return first_; }
  [[nodiscard]] std::int64_t living() const { return static_cast<std::int64_t>(children_.size()); }
  [[nodiscard]] std::int64_t failures() const { return failed_; }
  [[nodiscard]] std::int64_t cut() const { return stop_.cut() + killed_; }
  [[nodiscard]] bool stops_at_once() const { return stop_.is_at_once(); }

  /// The name of a new socket, which the table takes over.
  Result<Socket> add(Result<Descriptor> opened) {
    if (!opened) return failed(opened.error());
    try {
      const Socket name = sockets.add(opened->number());
      opened->hand_on();
      return name;
    } catch (const std::bad_alloc&) {
      return failed(Errno::NOMEM);
    }
  }

  SocketTable<int, -1> sockets;
  std::set<int> unconnected;  ///< By OpenSocket: they may listen, and bytes never come or go.
  Nanoseconds alarm = never;  ///< When that rings.

 private:
  using Children = std::map<pid_t, std::optional<Origin>>;
  static constexpr pid_t nobody = 0;

  /// What processes have to close their sockets once they were cut.
  static constexpr Nanoseconds at_once_grace = second;

  /// ppoll, with an absolute end. The calls that it stands for go on after a signal's handler; so does this.
  template <std::size_t N>
  static int poll_until(std::array<pollfd, N>& watched, Nanoseconds end, Nanoseconds time) {
    for (;;) {
      const Nanoseconds left = std::max<Nanoseconds>(end - time, 0);
      const timespec timeout{left / second, left % second};
      const int ready = ppoll(watched.data(), N, end == never ? nullptr : &timeout, nullptr);
      if (ready >= 0 || errno != EINTR) return ready;
      time = now();
    }
  }

  void discount(const std::optional<Origin>& origin) {
    if (origin) origins_.discount(*origin);
  }
  /// Where the child that is about to be made will stand; none: there is no memory for it.
  std::optional<Children::iterator> place_for_child(const std::optional<Origin>& origin) {
    try {
      return children_.emplace(nobody, origin).first;
    } catch (const std::bad_alloc&) {
      return std::nullopt;
    }
  }
  /// False: it was none.
  bool forget_child(pid_t child) {
    const auto found = children_.find(child);
    if (found == children_.end()) return false;
    discount(found->second);
    children_.erase(found);
    return true;
  }
  void forget_children() {
    children_.clear();
    origins_.clear();
  }

  /// Counts those that were cut.
  std::unexpected<Errno> stopping() {
    if (!first_) stop_.note_cut();
    return failed(Errno::STOPPING);
  }

  [[nodiscard]] int errand() const { return first_ ? errand_.descriptor : -1; }

  void kill_children() {
    for (const auto& [child, origin] : children_) {
      if (kill(child, SIGKILL) == 0) ++killed_;
    }
    while (!children_.empty()) {
      const pid_t child = children_.begin()->first;
      if (waitpid(child, nullptr, 0) >= 0 || errno != EINTR) forget_child(child);
    }
  }

  void take_signals() {
    bool children_ended = false;
    std::array<signalfd_siginfo, 8> taken{};
    for (;;) {
      const ssize_t size = read(signals_.number(), taken.data(), sizeof(taken));
      if (size <= 0) break;
      for (std::size_t one = 0; one < static_cast<std::size_t>(size) / sizeof(taken[0]); ++one) {
        if (taken[one].ssi_signo == SIGCHLD) {
          children_ended = true;
        } else {
          stop_.ask(first_);
        }
      }
    }
    if (children_ended && discarding_) reap();
  }

  void reap() {
    for (;;) {
      int status = 0;
      const pid_t ended = waitpid(-1, &status, WNOHANG);
      if (ended > 0) {
        // Whoever started us may have left us children that are none of the program's.
        if (forget_child(ended) && status != 0) ++failed_;
        continue;
      }
      if (ended < 0 && errno == EINTR) continue;
      if (ended < 0 && errno == ECHILD) forget_children();
      return;
    }
  }

  sigset_t mask_before_{};
  struct sigaction on_child_before_{};
  Descriptor signals_ = [] {
    const sigset_t taken = signals_taken();
    return needed(signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
  }();
  FamilyStop stop_;
  Errand errand_;
  Children children_;     ///< Forked here and not known to have ended; if counted, whose.
  OriginCounts origins_;  ///< Of the children.
  std::int64_t failed_ = 0;
  std::int64_t killed_ = 0;
  unsigned calls_since_wait_ = 0;
  bool first_ = true;
  bool discarding_ = false;
};

ForkHandler::ForkHandler(AdoptedListeners* adopted, Errand errand)
    : kernel_(std::make_unique<Kernel>(std::move(errand))), adopted_(adopted) {}
ForkHandler::~ForkHandler() = default;

// -- Sockets -----------------------------------------------------------------------------------------------------

Result<Socket> ForkHandler::operator()(const OpenSocket& instruction) {
  auto opened = adopted_ == nullptr ? std::nullopt : adopted_->take(instruction.at, false);
  const auto socket = kernel_->add(opened ? *std::move(opened) : open_socket(instruction.at));
  if (socket) kernel_->unconnected.insert(kernel_->sockets.at(*socket));
  return socket;
}

Result<Endpoint> ForkHandler::operator()(const Listen& instruction) {
  return listen_at(kernel_->sockets.at(instruction.listener), instruction.backlog);
}

Result<Socket> ForkHandler::operator()(const Accept& instruction) {
  const int listener = kernel_->sockets.at(instruction.listener);
  if (listener < 0) return failed(Errno::BADF);
  const bool waits = kernel_->unconnected.contains(listener);
  const auto ready = waits ? kernel_->wait(listener, POLLIN, {}) : kernel_->not_stopped({});
  if (!ready) return failed(ready.error());
  // The acceptor serves all, so it goes on only where it is sure to have memory for what follows.
  if (!pool::keep_reserve()) return failed(Errno::NOMEM);
  return kernel_->add(accept_client(listener));
}

Result<Socket> ForkHandler::operator()(const Connect& instruction) {
  Result<Descriptor> opened = begin_connecting(instruction.to);
  if (!opened) return failed(opened.error());
  // Waiting tells of a stop too, and so there is a wait in any case.
  const auto ready = kernel_->wait(opened->number(), POLLOUT, instruction.until, kernel_->alarm);
  if (!ready) return failed(ready.error());
  if (const auto outcome = connected(opened->number()); !outcome) return failed(outcome.error());
  return kernel_->add(std::move(opened));
}

Result<Bytes> ForkHandler::operator()(const Recv& instruction) {
  const int socket = kernel_->sockets.at(instruction.from);
  if (socket < 0) return failed(Errno::BADF);
  const bool waits = !kernel_->unconnected.contains(socket);
  const auto ready = waits ? kernel_->wait(socket, POLLIN, instruction.until, kernel_->alarm)
                           : kernel_->not_stopped(instruction.until);
  if (!ready) return failed(ready.error());
  Buffer* const buffer = buffer_or_null(std::min(instruction.at_most, largest_recv));
  if (buffer == nullptr) return failed(Errno::NOMEM);
  const Result<std::size_t> size = receive(socket, buffer->data, buffer->capacity);
  Bytes received(buffer, size.value_or(0));
  if (!size) return failed(size.error());
  return *size == 0 ? Bytes{} : received;
}

Result<std::size_t> ForkHandler::operator()(const Send& instruction) {
  const int socket = kernel_->sockets.at(instruction.to);
  if (socket < 0) return failed(Errno::BADF);
  const bool waits = !instruction.bytes.empty() && !kernel_->unconnected.contains(socket);
  if (waits && kernel_->may_go_ahead(instruction.until)) {
    const Result<std::size_t> sent = send(socket, instruction.bytes);
    if (sent || sent.error() != Errno::AGAIN) return sent;
  }
  const auto ready = waits ? kernel_->wait(socket, POLLOUT, instruction.until, kernel_->alarm)
                           : kernel_->not_stopped(instruction.until);
  if (!ready) return failed(ready.error());
  return send(socket, instruction.bytes);
}

Result<Unit> ForkHandler::operator()(const ShutdownSend& instruction) {
  return end_side(kernel_->sockets.at(instruction.socket));
}

Result<Unit> ForkHandler::operator()(const Close& instruction) {
  const int socket = kernel_->sockets.remove(instruction.socket);
  kernel_->unconnected.erase(socket);
  return kernel::close(socket);
}

// -- Processes and clock -----------------------------------------------------------------------------------------

Result<Forked> ForkHandler::operator()(const Fork& instruction) { return kernel_->fork_process(instruction); }

Result<Unit> ForkHandler::operator()(const DiscardChildren&) {
  kernel_->discard_children();
  return Unit{};
}

Result<Unit> ForkHandler::operator()(const Sleep& instruction) {
  const auto slept = kernel_->wait(-1, 0, Deadline{.wait_ms = instruction.wait_ms, .drain_ms = 0});
  if (slept || slept.error() == Errno::EXPIRED) return Unit{};
  return failed(slept.error());
}

Result<Unit> ForkHandler::operator()(const Alarm& instruction) {
  kernel_->alarm = after(now(), instruction.wait_ms);
  return Unit{};
}

void ForkHandler::disconnect(Socket socket) { kernel::tell_nobody(kernel::disconnect(kernel_->sockets.at(socket))); }

bool ForkHandler::in_first_process() const { return kernel_->first(); }

std::int64_t ForkHandler::failed_children() const { return kernel_->failures(); }

std::int64_t ForkHandler::cut() const { return kernel_->cut(); }

bool ForkHandler::stops_at_once() const { return kernel_->stops_at_once(); }

std::int64_t ForkHandler::living_children() const { return kernel_->living(); }

std::int64_t ForkHandler::await_children(std::int64_t at_most_ms) { return kernel_->await_children(at_most_ms); }

}  // namespace antiphon
