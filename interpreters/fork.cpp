#include "interpreters/fork.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <limits>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "interpreters/shared_word.hpp"

namespace antiphon {

namespace {

// -- Time: nanoseconds of CLOCK_MONOTONIC, which all processes share ---------------------------------------------

using Nanoseconds = std::int64_t;

constexpr Nanoseconds never = std::numeric_limits<Nanoseconds>::max();
constexpr Nanoseconds millisecond = 1'000'000;
constexpr Nanoseconds second = 1'000'000'000;

Nanoseconds now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * second + time.tv_nsec;
}

/// `wait_ms` after `start`, or never where that is beyond what can be counted. A wait below 0 is none.
Nanoseconds after(Nanoseconds start, std::int64_t wait_ms) {
  const std::int64_t wait = std::max<std::int64_t>(wait_ms, 0);
  return wait > (never - start) / millisecond ? never : start + wait * millisecond;
}

// -- Small pieces ------------------------------------------------------------------------------------------------

/// The reason that the last call gave.
std::unexpected<Errno> last_error() { return failed(Errno{errno}); }

/// A descriptor that is closed when it goes out of scope, unless it was handed on.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ < 0) return;
    // What the caller is about to answer is still in errno.
    const int kept = errno;
    close(number_);
    errno = kept;
  }

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool valid() const { return number_ >= 0; }
  int hand_on() { return std::exchange(number_, -1); }

 private:
  int number_;
};

/// Throws the last error of a call that a handler cannot be made without.
Descriptor needed(int descriptor, const char* call) {
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), call);
  return Descriptor(descriptor);
}

struct Address {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);

  [[nodiscard]] int family() const { return storage.ss_family; }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

/// The address of a numeric endpoint; none where the host is not numeric.
std::optional<Address> address_of(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(endpoint.port);
  if (getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &found) != 0) return std::nullopt;
  Address address;
  std::copy_n(reinterpret_cast<const std::byte*>(found->ai_addr), found->ai_addrlen,
              reinterpret_cast<std::byte*>(&address.storage));
  address.size = found->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

std::optional<Endpoint> endpoint_of(Address& address) {
  std::array<char, NI_MAXHOST> host{};
  if (getnameinfo(address.get(), address.size, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) != 0) {
    return std::nullopt;
  }
  const in_port_t port = address.family() == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_port
                                                      : reinterpret_cast<const sockaddr_in&>(address.storage).sin_port;
  return Endpoint{host.data(), ntohs(port)};
}

/// A socket that does not hold its process in a call: a client can vanish between ppoll and accept4, and a
/// connection takes its time.
Descriptor stream_socket(int family) {
  return Descriptor(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/// Recv may answer less than was asked for, and so one buffer need not be larger than this.
constexpr std::size_t largest_recv = std::size_t{1} << 20U;

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

/// The names of a process's sockets: the place in the table is the name.
class SocketTable {
 public:
  SocketTable() = default;
  SocketTable(const SocketTable&) = delete;
  SocketTable& operator=(const SocketTable&) = delete;
  ~SocketTable() {
    for (const int descriptor : descriptors_) {
      if (descriptor != unused) close(descriptor);
    }
  }

  /// The lowest free name, for a descriptor that the table takes over.
  Socket add(Descriptor descriptor) {
    auto place = std::ranges::find(descriptors_, unused);
    if (place == descriptors_.end()) place = descriptors_.insert(place, unused);
    *place = descriptor.hand_on();
    return Socket{static_cast<int>(place - descriptors_.begin())};
  }

  /// The descriptor, or -1: then any call answers EBADF, as it should.
  [[nodiscard]] int at(Socket socket) const {
    const auto place = static_cast<std::size_t>(socket.number);
    return socket.number >= 0 && place < descriptors_.size() ? descriptors_[place] : unused;
  }

  int remove(Socket socket) {
    const int descriptor = at(socket);
    if (descriptor != unused) descriptors_[static_cast<std::size_t>(socket.number)] = unused;
    return descriptor;
  }

 private:
  static constexpr int unused = -1;
  std::vector<int> descriptors_;
};

}  // namespace

// -- What a process knows ----------------------------------------------------------------------------------------

/// Signals come in as readable descriptors, never as interruptions. `signals_` belongs to whoever reads it: in each
/// process it tells of that process's own signals. `stop_event_` becomes readable in all processes, for good, when
/// the first one is asked to stop, and `family_stopped_at_` says when that was.
class ForkHandler::Kernel {
 public:
  Kernel() {
    const sigset_t taken = signals_taken();
    pthread_sigmask(SIG_BLOCK, &taken, &mask_before_);
    // Where SIGCHLD is ignored (by whoever started us), children vanish uncounted.
    struct sigaction plain{};
    plain.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &plain, &on_child_before_);
  }
  ~Kernel() {
    take_signals();
    sigaction(SIGCHLD, &on_child_before_, nullptr);
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  /// Waits until `descriptor` is ready for `events` (POLLIN, POLLOUT), or for one of the reasons of a Deadline.
  /// Descriptor -1 is never ready.
  Result<Unit> wait(int descriptor, short events, const Deadline& until) {
    Nanoseconds time = now();
    const Nanoseconds expiry = after(time, until.wait_ms);
    for (;; time = now()) {
      const Nanoseconds cut = stopped_at_ == never ? never : after(stopped_at_, until.drain_ms);
      if (cut <= time) return failed(Errno::STOPPING);

      std::array<pollfd, 3> watched{pollfd{descriptor, events, 0}, pollfd{signals_.number(), POLLIN, 0},
                                    // Once known, the stop has nothing more to tell.
                                    pollfd{stopped_at_ == never ? stop_event_.number() : -1, POLLIN, 0}};
      const int ready = poll_until(watched, std::min(expiry, cut), time);
      if (ready < 0) return last_error();
      if (ready == 0) return failed(cut <= expiry ? Errno::STOPPING : Errno::EXPIRED);
      const bool news = watched[1].revents != 0 || watched[2].revents != 0;
      if (watched[1].revents != 0) take_signals();
      if (watched[2].revents != 0 && family_stopped_at_->load() != 0) {
        stopped_at_ = std::min(stopped_at_, static_cast<Nanoseconds>(family_stopped_at_->load()));
      }
      if (watched[0].revents != 0 && (!news || !cut_by_now(until))) return Unit{};
    }
  }

  Result<Forked> fork_process(std::int64_t at_most) {
    if (discarding_) reap();
    if (living() >= at_most) return failed(Errno::AGAIN);
    const pid_t child = fork();
    if (child < 0) return last_error();
    if (child > 0) {
      children_.insert(child);
      return Parent{Pid{child}};
    }
    first_ = false;
    discarding_ = false;
    children_.clear();
    failed_ = 0;
    return Child{};
  }

  void discard_children() {
    discarding_ = true;
    reap();
  }

  std::int64_t await_children(std::int64_t at_most_ms) {
    const Nanoseconds end = after(now(), at_most_ms);
    for (;;) {
      reap();
      const Nanoseconds time = now();
      if (children_.empty() || time >= end) return living();
      std::array<pollfd, 1> watched{pollfd{signals_.number(), POLLIN, 0}};
      if (poll_until(watched, end, time) < 0) return living();
      take_signals();
    }
  }

  [[nodiscard]] bool first() const { return first_; }
  [[nodiscard]] std::int64_t living() const { return static_cast<std::int64_t>(children_.size()); }
  [[nodiscard]] std::int64_t failures() const { return failed_; }

  SocketTable sockets;

 private:
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

  [[nodiscard]] bool cut_by_now(const Deadline& until) const {
    return stopped_at_ != never && after(stopped_at_, until.drain_ms) <= now();
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
          stop();
        }
      }
    }
    if (children_ended && discarding_) reap();
  }

  /// This process was asked to stop; if it is the first, then all of them were.
  void stop() {
    if (stopped_at_ == never) stopped_at_ = now();
    if (!first_ || family_stopped_at_->load() != 0) return;
    family_stopped_at_->store(static_cast<std::uint64_t>(stopped_at_));
    eventfd_write(stop_event_.number(), 1);
  }

  void reap() {
    for (;;) {
      int status = 0;
      const pid_t ended = waitpid(-1, &status, WNOHANG);
      if (ended > 0) {
        // Whoever started us may have left us children that are none of the program's.
        if (children_.erase(ended) > 0 && status != 0) ++failed_;
        continue;
      }
      if (ended < 0 && errno == EINTR) continue;
      if (ended < 0 && errno == ECHILD) children_.clear();
      return;
    }
  }

  sigset_t mask_before_{};
  struct sigaction on_child_before_{};
  Descriptor signals_ = [] {
    const sigset_t taken = signals_taken();
    return needed(signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
  }();
  Descriptor stop_event_ = needed(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  SharedWord family_stopped_at_;
  Nanoseconds stopped_at_ = never;
  std::set<pid_t> children_;  ///< Forked here and not known to have ended.
  std::int64_t failed_ = 0;
  bool first_ = true;
  bool discarding_ = false;
};

ForkHandler::ForkHandler() : kernel_(std::make_unique<Kernel>()) {}
ForkHandler::~ForkHandler() = default;

// -- Sockets -----------------------------------------------------------------------------------------------------

Result<Socket> ForkHandler::operator()(const OpenSocket& instruction) {
  std::optional<Address> address = address_of(instruction.at);
  if (!address) return failed(Errno::INVAL);
  Descriptor opened = stream_socket(address->family());
  if (!opened.valid()) return last_error();
  const int on = 1;
  if (setsockopt(opened.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) return last_error();
  if (bind(opened.number(), address->get(), address->size) < 0) return last_error();
  return kernel_->sockets.add(std::move(opened));
}

Result<Endpoint> ForkHandler::operator()(const Listen& instruction) {
  const int listener = kernel_->sockets.at(instruction.listener);
  if (listen(listener, instruction.backlog) < 0) return last_error();
  Address bound;
  if (getsockname(listener, bound.get(), &bound.size) < 0) return last_error();
  std::optional<Endpoint> endpoint = endpoint_of(bound);
  if (!endpoint) return failed(Errno::AFNOSUPPORT);
  return *std::move(endpoint);
}

Result<Socket> ForkHandler::operator()(const Accept& instruction) {
  const int listener = kernel_->sockets.at(instruction.listener);
  if (listener < 0) return failed(Errno::BADF);
  if (const auto ready = kernel_->wait(listener, POLLIN, {}); !ready) return failed(ready.error());
  Descriptor client(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!client.valid()) return last_error();
  return kernel_->sockets.add(std::move(client));
}

Result<Socket> ForkHandler::operator()(const Connect& instruction) {
  std::optional<Address> address = address_of(instruction.to);
  if (!address) return failed(Errno::INVAL);
  Descriptor opened = stream_socket(address->family());
  if (!opened.valid()) return last_error();
  const bool connected = connect(opened.number(), address->get(), address->size) == 0;
  if (!connected && errno != EINPROGRESS) return last_error();
  // Waiting tells of a stop too, and so there is a wait in any case.
  if (const auto ready = kernel_->wait(opened.number(), POLLOUT, instruction.until); !ready) {
    return failed(ready.error());
  }
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(opened.number(), SOL_SOCKET, SO_ERROR, &error, &size) < 0) return last_error();
  if (error != 0) return failed(Errno{error});
  return kernel_->sockets.add(std::move(opened));
}

Result<Bytes> ForkHandler::operator()(const Recv& instruction) {
  const int socket = kernel_->sockets.at(instruction.from);
  if (socket < 0) return failed(Errno::BADF);
  if (const auto ready = kernel_->wait(socket, POLLIN, instruction.until); !ready) return failed(ready.error());
  Buffer* const buffer = buffer_or_null(std::min(instruction.at_most, largest_recv));
  if (buffer == nullptr) return failed(Errno::NOMEM);
  const ssize_t size = recv(socket, buffer->data, buffer->capacity, MSG_DONTWAIT);
  const int error = errno;
  Bytes received(buffer, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  if (size < 0) return failed(Errno{error});
  if (size == 0) return Bytes{};
  return received;
}

Result<std::size_t> ForkHandler::operator()(const Send& instruction) {
  const int socket = kernel_->sockets.at(instruction.to);
  if (socket < 0) return failed(Errno::BADF);
  if (const auto ready = kernel_->wait(socket, POLLOUT, instruction.until); !ready) return failed(ready.error());
  const std::string_view content = instruction.bytes.content();
  const ssize_t size = send(socket, content.data(), content.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (size < 0) return last_error();
  return static_cast<std::size_t>(size);
}

Result<Unit> ForkHandler::operator()(const ShutdownSend& instruction) {
  if (shutdown(kernel_->sockets.at(instruction.socket), SHUT_WR) < 0) return last_error();
  return Unit{};
}

Result<Unit> ForkHandler::operator()(const Close& instruction) {
  if (close(kernel_->sockets.remove(instruction.socket)) < 0) return last_error();
  return Unit{};
}

// -- Processes and clock -----------------------------------------------------------------------------------------

Result<Forked> ForkHandler::operator()(const Fork& instruction) { return kernel_->fork_process(instruction.at_most); }

Result<Unit> ForkHandler::operator()(const DiscardChildren&) {
  kernel_->discard_children();
  return Unit{};
}

Result<Unit> ForkHandler::operator()(const Sleep& instruction) {
  const auto slept = kernel_->wait(-1, 0, Deadline{.wait_ms = instruction.wait_ms, .drain_ms = 0});
  if (slept || slept.error() == Errno::EXPIRED) return Unit{};
  return failed(slept.error());
}

bool ForkHandler::in_first_process() const { return kernel_->first(); }

std::int64_t ForkHandler::failed_children() const { return kernel_->failures(); }

std::int64_t ForkHandler::living_children() const { return kernel_->living(); }

std::int64_t ForkHandler::await_children(std::int64_t at_most_ms) { return kernel_->await_children(at_most_ms); }

}  // namespace antiphon
