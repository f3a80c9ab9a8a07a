#include "interpreters/uring.hpp"

#include <fmt/format.h>
#include <liburing.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "core/pool.hpp"
#include "interpreters/loop/scheduler.hpp"
#include "interpreters/loop/slots.hpp"

namespace antiphon {

namespace {

using kernel::Nanoseconds;

[[noreturn]] void fail(int error, const char* call) { throw std::system_error(error, std::generic_category(), call); }

// -- The ring ----------------------------------------------------------------------------------------------------

/// The rings of requests and completions, with the ring of buffers that receives are filled from.
class Ring {
 public:
  /// `slots` is a power of two; `operations`: what it may be asked, if not anything.
  explicit Ring(std::uint32_t slots, const std::optional<std::vector<std::uint8_t>>& operations = {})
      : slot_mask_(static_cast<int>(slots) - 1) {
    const int failure = set_up(operations ? IORING_SETUP_R_DISABLED : 0U);
    if (failure < 0) fail(-failure, "io_uring_setup");
    try {
      provide_buffers(slots);
      if (operations) restrict_to(*operations);
    } catch (...) {
      io_uring_queue_exit(&ring_);
      throw;
    }
    // Saves looking the ring up with each call. It works without.
    io_uring_register_ring_fd(&ring_);
  }
  ~Ring() { io_uring_queue_exit(&ring_); }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  /// A request, filled in by `prepare(sqe)`, whose completions are to be known by `user_data`. It goes out with the
  /// next `enter`, or before where there is no room for more.
  template <class Prepare>
  void request(std::uint64_t user_data, Prepare prepare) {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    while (sqe == nullptr) {
      check(io_uring_submit_and_get_events(&ring_));
      sqe = io_uring_get_sqe(&ring_);
    }
    prepare(sqe);
    io_uring_sqe_set_data64(sqe, user_data);
  }

  void offer(std::uint32_t number, std::byte* memory) {
    io_uring_buf_ring_add(buffers_, memory, loop::Slots::slot_bytes, static_cast<unsigned short>(number), slot_mask_,
                          offered_++);
  }
  void end_offers() {
    if (offered_ != 0) io_uring_buf_ring_advance(buffers_, std::exchange(offered_, 0));
  }

  /// Submits all requests. Completions appear only here: the kernel works for us when we enter it.
  ///
  /// If some requests complete at once, their number is waited for, which takes no time; the kernel also does more of
  /// its other work in one call the more is waited for. If there are none, one completion is, at most that long.
  void enter(unsigned at_once, Nanoseconds at_most) {
    if (at_once > 0) return check(io_uring_submit_and_wait(&ring_, at_once));
    if (at_most == 0) return check(io_uring_submit_and_get_events(&ring_));
    __kernel_timespec timeout{at_most / kernel::second, at_most % kernel::second};
    io_uring_cqe* first = nullptr;
    check(io_uring_submit_and_wait_timeout(&ring_, &first, 1, at_most == kernel::never ? nullptr : &timeout, nullptr));
  }

  /// Takes what has been completed; how many there were.
  template <class Visit>
  std::size_t completions(Visit&& visit) {
    std::size_t count = 0;
    unsigned head = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      visit(*cqe);
      ++count;
    }
    io_uring_cq_advance(&ring_, static_cast<unsigned>(count));
    return count;
  }

 private:
  void check(int outcome) {
    if (outcome >= 0 || outcome == -ETIME || outcome == -EINTR) return patience_.succeeded();
    patience_.failed(-outcome);
  }

  static constexpr unsigned requests = 512;
  static constexpr unsigned completions_kept = 4096;

  int set_up(unsigned how) {
    // Newest first: what an older kernel does not know it refuses.
    const unsigned always = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | how;
    for (const unsigned more : {IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
                                IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN, 0U}) {
      io_uring_params parameters{};
      parameters.flags = always | more;
      parameters.cq_entries = completions_kept;
      const int failure = io_uring_queue_init_params(requests, &ring_, &parameters);
      if (failure != -EINVAL) return failure;
    }
    return -EINVAL;
  }

  void provide_buffers(std::uint32_t slots) {
    memory_ = loop::allocate_pages(slots * sizeof(io_uring_buf));
    buffers_ = reinterpret_cast<io_uring_buf_ring*>(memory_.get());
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uint64_t>(buffers_);
    registration.ring_entries = slots;
    const int failure = io_uring_register_buf_ring(&ring_, &registration, 0);
    if (failure < 0) fail(-failure, "io_uring_register_buf_ring");
    io_uring_buf_ring_init(buffers_);
  }

  /// From here on the ring refuses everything else with EACCES.
  void restrict_to(const std::vector<std::uint8_t>& operations) {
    std::vector<io_uring_restriction> allowed;
    const auto allow = [&](std::uint16_t what) -> io_uring_restriction& {
      io_uring_restriction& one = allowed.emplace_back();
      one.opcode = what;
      return one;
    };
    for (const std::uint8_t operation : operations) allow(IORING_RESTRICTION_SQE_OP).sqe_op = operation;
    for (const std::uint8_t ours : {IORING_REGISTER_RING_FDS, IORING_UNREGISTER_RING_FDS}) {
      allow(IORING_RESTRICTION_REGISTER_OP).register_op = ours;
    }
    const bool receives = std::ranges::find(operations, IORING_OP_RECV) != operations.end();
    allow(IORING_RESTRICTION_SQE_FLAGS_ALLOWED).sqe_flags = receives ? IOSQE_BUFFER_SELECT : 0;
    // (liburing 2.3 declares functions for these two, and does not have them.)
    register_with(IORING_REGISTER_RESTRICTIONS, allowed.data(), allowed.size());
    register_with(IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
  }

  void register_with(unsigned what, void* argument, std::size_t count) const {
    if (syscall(SYS_io_uring_register, ring_.ring_fd, what, argument, count) < 0) fail(errno, "io_uring_register");
  }

  io_uring ring_{};
  loop::Pages memory_;
  io_uring_buf_ring* buffers_ = nullptr;
  int slot_mask_;
  int offered_ = 0;
  kernel::Patience patience_{"io_uring_enter"};
};

// -- The loop ----------------------------------------------------------------------------------------------------

/// A receive into whichever slot comes next.
void prepare_receive(io_uring_sqe* sqe, int descriptor) {
  io_uring_prep_recv(sqe, descriptor, nullptr, 0, 0);
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = 0;
}

/// What came in before the program asked for it: bytes of a connection, or a client of a listener.
struct Ahead {
  Bytes bytes;
  int client = -1;
  Ahead* next = nullptr;
};

/// A listener or a connection. While its request is `armed`, the kernel accepts or receives for it: clients one after
/// the other (multishot), and of bytes one slot's. More would be memory that a client takes by not reading.
struct Channel : loop::ChannelBase {
  using Task = loop::Task<Channel>;

  Channel* next = nullptr;  ///< In the Slab.
  loop::TaskQueue<Task> readers;
  Ahead* first_ahead = nullptr;
  Ahead* last_ahead = nullptr;
  std::int32_t error_ahead = 0;  ///< A failure that arrived and that no instruction was answered with yet.
  std::uint16_t clients_ahead = 0;
  bool listens = false;
  bool armed = false;
  bool cancelled = false;   ///< The armed request is being taken back.
  bool is_drained = false;  ///< The last receive took all that there was, so that it is no listener either.
  bool closing = false;     ///< To be closed once the armed request is back.
  bool ended = false;       ///< The peer's end arrived.
  bool lost = false;        ///< There was no memory for something that was received. Nothing follows it.
};

/// What a completion is of, in the lowest bits of its name; the rest is the address of a Channel or a Task.
enum class Of : std::uint8_t { nothing, receive, accept, task, stop, stop_at_once, errand };

class UringLoop : public loop::Scheduler<UringLoop, Channel> {
 public:
  static constexpr bool sockets_block = true;  // io_uring waits by itself, unless a socket says that it must not

  explicit UringLoop(const LoopOptions& options)
      : Scheduler(options), slots_(slot_count), ring_(slot_count, options.ring_operations) {
    if (options.stop != nullptr) {
      watch_aside(Of::stop, options.stop->descriptor());
      watch_aside(Of::stop_at_once, options.stop->descriptor_at_once());
    }
    if (options.errand.descriptor >= 0) watch_aside(Of::errand, options.errand.descriptor);
  }

  /// Nothing may go on in the kernel with memory that is given back.
  ~UringLoop() {
    try {
      if (under_way_ > 0) {
        constexpr int everything = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
        request(Of::nothing, nullptr, [](io_uring_sqe* sqe) { io_uring_prep_cancel64(sqe, 0, everything); });
      }
      while (under_way_ > 0 || busy()) poll(kernel::never);
    } catch (const std::system_error&) {
      // The ring is broken; its end cancels what is left.
      under_way_ = closing_ = 0;
    }
  }
  UringLoop(const UringLoop&) = delete;
  UringLoop& operator=(const UringLoop&) = delete;

  // -- what may wait --------------------------------------------------------------------------------------------

  std::optional<Result<Socket>> attempt(Task& task, Channel& listener, const Accept&) {
    if (listener.first_ahead != nullptr) {
      if (listener.first_ahead->client < 0) return failed(Errno::INVAL);
      --listener.clients_ahead;
      return add(task, kernel::Descriptor(take_ahead(listener).client));
    }
    if (const auto error = take_error(listener)) return failed(*error);
    if (!listener.armed && !accepts_no_more_) {
      request(Of::accept, &listener, [&](io_uring_sqe* sqe) {
        io_uring_prep_multishot_accept(sqe, listener.descriptor, nullptr, nullptr, SOCK_CLOEXEC);
      });
      listener.armed = listener.listens = true;
    }
    listener.readers.push(task);
    return std::nullopt;
  }

  std::optional<Result<Bytes>> attempt(Task& task, Channel& channel, const Recv& recv) {
    if (channel.first_ahead != nullptr) {
      if (channel.first_ahead->client >= 0) return failed(Errno::NOTCONN);
      return take(channel, recv.at_most);
    }
    if (const auto error = take_error(channel)) return failed(*error);
    if (channel.ended) return Bytes{};
    if (!channel.armed) arm_receive(channel);
    channel.readers.push(task);
    return std::nullopt;
  }

  std::optional<Result<std::size_t>> attempt(Task& task, Channel& channel, const Send& send) {
    switch (stage_of(task)) {
      case Stage::none:
        // A receive that ran ahead may have taken the failure that this would have met.
        if (const auto error = take_error(channel)) return failed(*error);
        submit(task, channel, send.bytes, MSG_DONTWAIT);
        ++tries_;
        set(task, Stage::tries);
        return std::nullopt;
      case Stage::done:
        break;
      default:
        return std::nullopt;
    }
    set(task, Stage::none);
    if (task.outcome >= 0) return static_cast<std::size_t>(task.outcome);
    if (task.outcome == -ECANCELED) return std::nullopt;
    if (task.outcome == -EPIPE) return failed(take_error(channel).value_or(Errno::PIPE));
    if (task.outcome != -EAGAIN) return failed(Errno{-task.outcome});
    if (task.due <= now()) return std::nullopt;
    // It may wait long, and the kernel reads the bytes where they are now: they leave the slot before.
    if (!slots_.detach(send.bytes)) return failed(Errno::NOMEM);
    submit(task, channel, send.bytes, 0);
    set(task, Stage::waits);
    return std::nullopt;
  }

  std::optional<Result<Socket>> attempt(Task& task, const Connect& connect) {
    switch (stage_of(task)) {
      case Stage::none:
        return begin_connecting(task, connect);
      case Stage::done:
        break;
      default:
        return std::nullopt;
    }
    set(task, Stage::none);
    const Socket socket = task.connecting;
    if (task.outcome == -ECANCELED) {
      drop(task, socket);
      return std::nullopt;
    }
    const auto outcome = kernel::connected(task.sockets.at(socket)->descriptor);
    if (outcome) return socket;
    drop(task, socket);
    return failed(outcome.error());
  }

  bool withdraw(Task& task, Channel&, const Send&) { return take_back(task); }
  template <class I>
  static bool withdraw(Task& task, Channel& channel, const I&) {
    channel.readers.remove(task);
    return true;
  }
  bool withdraw(Task& task, const Connect&) { return take_back(task); }

  Result<Unit> close(Channel& channel) {
    if (!channel.armed) return finish_close(channel);
    channel.closing = true;
    ++closing_;
    cancel_armed(channel);
    return Unit{};
  }

  [[nodiscard]] bool busy() const { return closing_ > 0; }

  /// One that could go on is not given back: the kernel tells so when asked to.
  static bool could_send(const Channel&) { return false; }

  // -- waiting --------------------------------------------------------------------------------------------------

  std::size_t poll(Nanoseconds at_most) {
    for (const std::uint32_t number : slots_.free()) ring_.offer(number, slots_.memory(number));
    slots_.free().clear();
    ring_.end_offers();
    // To wait for more would have more received at a time than there are slots for.
    const std::size_t tries = std::exchange(tries_, 0);
    const Nanoseconds until_stop =
        stops_by_ == kernel::never ? kernel::never : std::max<Nanoseconds>(stops_by_ - now(), 0);
    ring_.enter(static_cast<unsigned>(std::min<std::size_t>(tries, slot_count / 4)), std::min(at_most, until_stop));
    const std::size_t completed = ring_.completions([&](const io_uring_cqe& cqe) { complete(cqe); });
    if (stops_by_ != kernel::never) stop_once_settled();
    slots_.wake_up();
    return completed - std::min(completed, tries);
  }

 private:
  static constexpr std::uint32_t slot_count = 512;
  static constexpr std::uint16_t most_clients_ahead = 64;
  /// A program that does not accept them has its stop all the same.
  static constexpr Nanoseconds longest_settling = kernel::second;

  /// How far the request of a Send or a Connect has come.
  enum class Stage : std::uint8_t {
    none,
    tries,      ///< Under way, and back at once.
    waits,      ///< Under way, for as long as it takes.
    withdrawn,  ///< Under way, and asked back.
    done,       ///< `outcome` has the kernel's answer.
  };
  static Stage stage_of(const Task& task) { return static_cast<Stage>(task.stage); }
  static void set(Task& task, Stage stage) { task.stage = static_cast<std::uint8_t>(stage); }

  // -- the stop -------------------------------------------------------------------------------------------------

  /// Whom the kernel has accepted for us came before the stop. Nobody else has them: who closes the listener now would
  /// lose them, even where another server goes on listening.
  void settle() {
    if (is_conducted()) return stop_requested();
    accepts_no_more_ = true;
    stops_by_ = kernel::now() + longest_settling;
    for_each_channel([&](Channel& channel) {
      if (channel.listens && channel.armed) cancel_armed(channel);
    });
  }

  void stop_once_settled() {
    bool settled = true;
    for_each_channel([&](const Channel& channel) {
      if (channel.listens) settled &= !channel.armed && channel.first_ahead == nullptr;
    });
    if (!settled && kernel::now() < stops_by_) return;
    stops_by_ = kernel::never;
    stop_requested();
  }

  // -- requests -------------------------------------------------------------------------------------------------

  static std::uint64_t name_of(Of of, const void* what) {
    return reinterpret_cast<std::uint64_t>(what) | static_cast<std::uint64_t>(of);
  }
  template <class Prepare>
  void request(Of of, const void* what, Prepare prepare) {
    ring_.request(name_of(of, what), prepare);
  }
  void watch_aside(Of of, int descriptor) {
    request(of, nullptr, [=](io_uring_sqe* sqe) { io_uring_prep_poll_add(sqe, descriptor, POLLIN); });
  }
  void cancel(Of of, const void* what) {
    request(Of::nothing, nullptr, [=](io_uring_sqe* sqe) { io_uring_prep_cancel64(sqe, name_of(of, what), 0); });
  }

  void arm_receive(Channel& channel) {
    request(Of::receive, &channel, [&](io_uring_sqe* sqe) {
      prepare_receive(sqe, channel.descriptor);
      if (channel.is_drained) sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
    });
    channel.armed = true;
    channel.listens = false;
  }

  void cancel_armed(Channel& channel) {
    if (std::exchange(channel.cancelled, true)) return;
    cancel(channel.listens ? Of::accept : Of::receive, &channel);
  }

  void submit(Task& task, const Channel& channel, const Bytes& bytes, int flags) {
    const std::string_view content = bytes.content();
    request(Of::task, &task, [&](io_uring_sqe* sqe) {
      io_uring_prep_send(sqe, channel.descriptor, content.data(), content.size(), flags | MSG_NOSIGNAL);
    });
    ++under_way_;
  }

  std::optional<Result<Socket>> begin_connecting(Task& task, const Connect& connect) {
    auto opened = kernel::begin_connecting(connect.to);
    if (!opened) return failed(opened.error());
    kernel::make_blocking(opened->number());
    const Result<Socket> named = add(task, *std::move(opened));
    if (!named) return named;
    task.connecting = *named;
    const int descriptor = task.sockets.at(task.connecting)->descriptor;
    request(Of::task, &task, [=](io_uring_sqe* sqe) { io_uring_prep_poll_add(sqe, descriptor, POLLOUT); });
    ++under_way_;
    set(task, Stage::waits);
    return std::nullopt;
  }

  /// Asks a request back. True: there is none any more.
  bool take_back(Task& task) {
    if (stage_of(task) == Stage::waits) {
      cancel(Of::task, &task);
      set(task, Stage::withdrawn);
    }
    return stage_of(task) == Stage::none;
  }

  // -- completions ----------------------------------------------------------------------------------------------

  void complete(const io_uring_cqe& cqe) {
    constexpr std::uint64_t of_bits = 7;
    const auto of = static_cast<Of>(cqe.user_data & of_bits);
    void* const what = std::bit_cast<void*>(cqe.user_data & ~of_bits);
    switch (of) {
      case Of::nothing:
        return;
      case Of::receive:
        return received(*static_cast<Channel*>(what), cqe);
      case Of::accept:
        return accepted(*static_cast<Channel*>(what), cqe);
      case Of::task: {
        auto& task = *static_cast<Task*>(what);
        --under_way_;
        task.outcome = cqe.res;
        set(task, Stage::done);
        return make_ready(task);
      }
      case Of::stop:
        return settle();
      case Of::stop_at_once:
        return stop_at_once_requested();
      case Of::errand:
        run_errand();
        return watch_aside(Of::errand, errand_descriptor());
    }
  }

  void received(Channel& channel, const io_uring_cqe& cqe) {
    if (cqe.res > 0) {
      const std::uint32_t number = cqe.flags >> IORING_CQE_BUFFER_SHIFT;
      try {
        push_ahead(channel, {slots_.filled(number, static_cast<std::size_t>(cqe.res))});
      } catch (const std::bad_alloc&) {
        channel.lost = true;
      }
    } else if (cqe.res == 0) {
      channel.ended = true;
    } else if (cqe.res != -ECANCELED && cqe.res != -ENOBUFS) {
      // (ENOBUFS: all slots were taken. They come back, and the request is made again.)
      channel.error_ahead = -cqe.res;
    }
    channel.is_drained = cqe.res > 0 && (cqe.flags & IORING_CQE_F_SOCK_NONEMPTY) == 0;
    back(channel);
  }

  void accepted(Channel& listener, const io_uring_cqe& cqe) {
    if (cqe.res >= 0) {
      kernel::Descriptor client(cqe.res);
      try {
        push_ahead(listener, {{}, client.number()});
      } catch (const std::bad_alloc&) {
        listener.error_ahead = ENOMEM;
        return (cqe.flags & IORING_CQE_F_MORE) == 0 ? back(listener) : wake_all(listener.readers);
      }
      client.hand_on();
      if (++listener.clients_ahead >= most_clients_ahead && listener.armed) cancel_armed(listener);
    } else if (cqe.res != -ECANCELED) {
      listener.error_ahead = -cqe.res;
    }
    if ((cqe.flags & IORING_CQE_F_MORE) == 0) return back(listener);
    wake_all(listener.readers);
  }

  /// The request has ended. Who waits for more arms it again.
  void back(Channel& channel) {
    channel.armed = false;
    channel.cancelled = false;
    if (channel.closing) {
      --closing_;
      kernel::tell_nobody(finish_close(channel));
    } else {
      wake_all(channel.readers);
    }
  }

  // -- what came in ahead ---------------------------------------------------------------------------------------

  static void push_ahead(Channel& channel, Ahead content) {
    auto* const ahead = new (pool::take(sizeof(Ahead))) Ahead(std::move(content));
    (channel.first_ahead == nullptr ? channel.first_ahead : channel.last_ahead->next) = ahead;
    channel.last_ahead = ahead;
  }

  static Ahead take_ahead(Channel& channel) {
    Ahead* const first = channel.first_ahead;
    channel.first_ahead = first->next;
    Ahead taken = std::move(*first);
    first->~Ahead();
    pool::give_back(first, sizeof(Ahead));
    return taken;
  }

  static Bytes take(Channel& channel, std::size_t at_most) {
    Bytes& first = channel.first_ahead->bytes;
    if (first.size() <= at_most) return take_ahead(channel).bytes;
    Bytes part = first.take(at_most);
    first = first.drop(at_most);
    return part;
  }

  static std::optional<Errno> take_error(Channel& channel) {
    if (channel.lost) return Errno::NOMEM;
    const int error = std::exchange(channel.error_ahead, 0);
    return error == 0 ? std::nullopt : std::optional(Errno{error});
  }

  Result<Unit> finish_close(Channel& channel) {
    // What was received ahead is unread input still.
    if (channel.first_ahead != nullptr || channel.lost) kernel::reset_on_close(channel.descriptor);
    while (channel.first_ahead != nullptr) {
      const int client = take_ahead(channel).client;
      if (client < 0) continue;
      kernel::reset_on_close(client);
      kernel::tell_nobody(kernel::close(client));
    }
    const auto closed = kernel::close(channel.descriptor);
    forget(channel);
    return closed;
  }

  loop::Slots slots_;
  Ring ring_;
  std::size_t tries_ = 0;       ///< Requests that complete as they are submitted.
  std::int64_t under_way_ = 0;  ///< Requests of tasks.
  std::int64_t closing_ = 0;    ///< Channels that wait to be closed.
  bool accepts_no_more_ = false;
  Nanoseconds stops_by_ = kernel::never;  ///< While the stop waits for clients to be answered: how long at most.
};

}  // namespace

LoopReport run_on_uring(const Server& server, const LoopOptions& options) { return UringLoop(options).run(server); }

// -- Whether it works here ---------------------------------------------------------------------------------------

namespace {

std::string explain(const std::system_error& error) {
  switch (error.code().value()) {
    case ENOSYS:
      return "it has no io_uring";
    case EPERM:
    case EACCES:
      return "io_uring is forbidden (by seccomp, or by kernel.io_uring_disabled)";
    default:
      return error.what();
  }
}

/// Receives one byte as the loop would.
void try_receive() {
  loop::Slots slots(1);
  Ring ring(1);
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) < 0) fail(errno, "socketpair");
  const kernel::Descriptor near(ends[0]);
  const kernel::Descriptor far(ends[1]);
  if (send(far.number(), "a", 1, MSG_NOSIGNAL) != 1) fail(errno, "send");
  ring.offer(0, slots.memory(0));
  ring.end_offers();
  ring.request(0, [&](io_uring_sqe* sqe) { prepare_receive(sqe, near.number()); });
  ring.enter(0, kernel::second);
  int outcome = -ETIME;
  ring.completions([&](const io_uring_cqe& cqe) { outcome = outcome == -ETIME ? cqe.res : outcome; });
  if (outcome < 0) fail(-outcome, "a receive into a ring of buffers (Linux 5.19 has it)");
}

}  // namespace

std::optional<std::string> why_no_uring() {
  try {
    try_receive();
    return std::nullopt;
  } catch (const std::system_error& error) {
    return explain(error);
  } catch (const std::bad_alloc&) {
    return "no memory is left for it";
  }
}

}  // namespace antiphon
