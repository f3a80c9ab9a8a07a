#include "interpreters/epoll.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <optional>
#include <system_error>

#include "interpreters/loop/scheduler.hpp"
#include "interpreters/loop/slots.hpp"

namespace antiphon {

namespace {

using kernel::Nanoseconds;

/// A listener or a connection.
///
/// A connection is registered edge-triggered, for both directions at once: what it is ready for is remembered here. An
/// edge is asked for again only after a call that was in vain. A listener is registered level-triggered, and taken out
/// of the interest while nobody accepts.
struct Channel : loop::ChannelBase {
  using Task = loop::Task<Channel>;

  enum class Registered : std::uint8_t { not_yet, asleep, yes };

  Channel* next = nullptr;
  loop::TaskQueue<Task> readers;
  loop::TaskQueue<Task> writers;
  Registered registered = Registered::not_yet;
  // What is not known to be in vain is tried.
  bool readable = true;
  bool writable = true;
  bool listens = false;
  bool hung_up = false;  ///< The end, or a failure, has arrived: a read never waits any more.
};

class EpollLoop : public loop::Scheduler<EpollLoop, Channel> {
 public:
  static constexpr bool sockets_block = false;

  explicit EpollLoop(const LoopOptions& options)
      : Scheduler(options), epoll_(kernel::needed(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")), slots_(slot_count) {
    if (options.stop != nullptr) {
      watch_aside(options.stop->descriptor(), EPOLLIN | EPOLLET, asides_[0]);
      watch_aside(options.stop->descriptor_at_once(), EPOLLIN | EPOLLET, asides_[1]);
    }
    if (options.errand.descriptor >= 0) watch_aside(options.errand.descriptor, EPOLLIN, asides_[2]);
  }

  // -- what may wait --------------------------------------------------------------------------------------------

  std::optional<Result<Socket>> attempt(Task& task, Channel& listener, const Accept&) {
    if (listener.readable || !listener.listens || listener.registered != Channel::Registered::yes) {
      auto client = kernel::accept_client(listener.descriptor);
      if (client) return add(task, *std::move(client));
      if (client.error() != Errno::AGAIN) return failed(client.error());
      listener.readable = false;
      listener.listens = true;
      if (const auto failure = watch(listener, EPOLLIN)) return failed(*failure);
    }
    listener.readers.push(task);
    return std::nullopt;
  }

  std::optional<Result<Bytes>> attempt(Task& task, Channel& channel, const Recv& recv) {
    if (channel.readable || channel.listens) {
      Result<Bytes> received = receive(channel, recv.at_most);
      if (received || received.error() != Errno::AGAIN) return received;
      channel.readable = false;
      if (const auto failure = watch_again(channel)) return failed(*failure);
    } else if (const auto failure = watch(channel, edges)) {
      return failed(*failure);
    }
    channel.readers.push(task);
    return std::nullopt;
  }

  std::optional<Result<std::size_t>> attempt(Task& task, Channel& channel, const Send& send) {
    // To send nothing needs no room.
    if (channel.writable || send.bytes.empty()) {
      const Result<std::size_t> sent = kernel::send(channel.descriptor, send.bytes);
      if (sent) {
        // The kernel tells when there is room again, once it has seen that somebody lacked it.
        if (*sent < send.bytes.size()) channel.writable = false;
        return sent;
      }
      if (sent.error() != Errno::AGAIN) return sent;
      channel.writable = false;
      if (const auto failure = watch_again(channel)) return failed(*failure);
    } else if (const auto failure = watch(channel, edges)) {
      return failed(*failure);
    }
    channel.writers.push(task);
    return std::nullopt;
  }

  std::optional<Result<Socket>> attempt(Task& task, const Connect& connect) {
    if (task.stage == connecting) {
      const Socket socket = task.connecting;
      Channel& channel = *task.sockets.at(socket);
      task.stage = 0;
      channel.writable = true;
      const auto outcome = kernel::connected(channel.descriptor);
      if (outcome) return socket;
      drop(task, socket);
      return failed(outcome.error());
    }
    auto opened = kernel::begin_connecting(connect.to);
    if (!opened) return failed(opened.error());
    const Result<Socket> named = add(task, *std::move(opened));
    if (!named) return named;
    const Socket socket = *named;
    Channel& channel = *task.sockets.at(socket);
    if (const auto failure = watch(channel, edges)) {
      drop(task, socket);
      return failed(*failure);
    }
    task.stage = connecting;
    task.connecting = socket;
    channel.writers.push(task);
    return std::nullopt;
  }

  static bool withdraw(Task& task, Channel& channel, const Send&) {
    channel.writers.remove(task);
    return true;
  }
  template <class I>
  static bool withdraw(Task& task, Channel& channel, const I&) {
    channel.readers.remove(task);
    return true;
  }
  bool withdraw(Task& task, const Connect&) {
    task.stage = 0;
    drop(task, task.connecting);
    return true;
  }

  Result<Unit> close(Channel& channel) {
    // By this epoll forgets it too: we never hold a descriptor twice.
    const auto closed = kernel::close(channel.descriptor);
    forget(channel);
    return closed;
  }

  static bool busy() { return false; }

  /// One call of epoll tells of some channels only.
  static bool could_send(const Channel& channel) { return kernel::has_room(channel.descriptor); }

  // -- waiting --------------------------------------------------------------------------------------------------

  std::size_t poll(Nanoseconds at_most) {
    const Nanoseconds rounded_up =
        at_most == kernel::never ? -1 : at_most / kernel::millisecond + (at_most % kernel::millisecond != 0 ? 1 : 0);
    const auto timeout_ms = static_cast<int>(std::min<Nanoseconds>(rounded_up, std::numeric_limits<int>::max()));
    const int count = epoll_wait(epoll_.number(), events_.data(), static_cast<int>(events_.size()), timeout_ms);
    if (count >= 0 || errno == EINTR) {
      patience_.succeeded();
    } else {
      patience_.failed(errno);
    }
    const auto came = static_cast<std::size_t>(std::max(count, 0));
    for (std::size_t place = 0; place < came; ++place) take(events_[place]);
    slots_.wake_up();
    return came;
  }

 private:
  static constexpr std::uint32_t slot_count = 64;
  static constexpr std::uint32_t edges = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  static constexpr std::uint8_t connecting = 1;

  /// What is told of beside the network. Its address is its name.
  struct Aside {};

  void watch_aside(int descriptor, std::uint32_t events, Aside& aside) {
    epoll_event interest{.events = events, .data = {.ptr = &aside}};
    if (epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, descriptor, &interest) < 0) {
      throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
  }

  void take(const epoll_event& event) {
    if (event.data.ptr == &asides_[0]) return stop_requested();
    if (event.data.ptr == &asides_[1]) return stop_at_once_requested();
    if (event.data.ptr == &asides_[2]) return run_errand();
    Channel& channel = *static_cast<Channel*>(event.data.ptr);
    if (channel.listens && channel.readers.empty()) {
      // It would be told of again and again. Who accepts next tries first, and has it told of again.
      channel.readable = true;
      static_cast<void>(tell_epoll(channel, 0));
      return;
    }
    const bool over = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (over) channel.hung_up = true;
    if (over || (event.events & EPOLLIN) != 0) {
      channel.readable = true;
      wake_all(channel.readers);
    }
    if (over || (event.events & EPOLLOUT) != 0) {
      channel.writable = true;
      wake_all(channel.writers);
    }
  }

  Result<Bytes> receive(Channel& channel, std::size_t at_most) {
    if (at_most == 0) {
      // To ask for nothing would be answered at once, whether something is there or not.
      const auto there = kernel::peek(channel.descriptor);
      if (!there) return failed(there.error());
      return Bytes{};
    }
    auto& free = slots_.free();
    if ((free.empty() && !slots_.detach_oldest()) || !slots_.make_ready()) return failed(Errno::NOMEM);
    const std::size_t asked = std::min(at_most, loop::Slots::slot_bytes);
    const Result<std::size_t> size = kernel::receive(channel.descriptor, slots_.memory(free.back()), asked);
    if (!size) return failed(size.error());
    // It was all that there was. What comes after it is an edge.
    if (*size < asked && !channel.hung_up) channel.readable = false;
    if (*size == 0) {
      channel.readable = channel.hung_up = true;
      return Bytes{};
    }
    const std::uint32_t number = free.back();
    free.pop_back();
    return slots_.filled(number, *size);
  }

  /// Has epoll tell of the channel from now on, first of all of what it is ready for now.
  std::optional<Errno> watch(Channel& channel, std::uint32_t events) {
    if (channel.registered == Channel::Registered::yes) return std::nullopt;
    return tell_epoll(channel, events);
  }
  /// The same for one that epoll was told of already. A call was in vain although epoll had said that it would not be.
  std::optional<Errno> watch_again(Channel& channel) { return tell_epoll(channel, edges); }

  std::optional<Errno> tell_epoll(Channel& channel, std::uint32_t events) {
    const int operation = channel.registered == Channel::Registered::not_yet ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    epoll_event interest{.events = events, .data = {.ptr = &channel}};
    if (epoll_ctl(epoll_.number(), operation, channel.descriptor, &interest) < 0) {
      // (ENOSPC: the user watches too many descriptors. No call on a socket would say so.)
      return errno == ENOSPC ? Errno::NOBUFS : Errno{errno};
    }
    channel.registered = events == 0 ? Channel::Registered::asleep : Channel::Registered::yes;
    return std::nullopt;
  }

  kernel::Descriptor epoll_;
  std::array<Aside, 3> asides_;  ///< The stop, the stop at once, the errand.
  loop::Slots slots_;
  kernel::Patience patience_{"epoll_wait"};
  std::array<epoll_event, 256> events_{};
};

}  // namespace

LoopReport run_on_epoll(const Server& server, const LoopOptions& options) { return EpollLoop(options).run(server); }

}  // namespace antiphon
