#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <utility>

#include "core/pool.hpp"
#include "interpreters/event_loop.hpp"
#include "interpreters/loop/alike_children.hpp"
#include "interpreters/loop/spin.hpp"
#include "interpreters/loop/tasks.hpp"
#include "interpreters/loop/timers.hpp"

/// What all event loops do alike: they hold the processes of a program, run those that can go on, cut short those that
/// waited long enough, and leave it to a Backend to wait for the network.

namespace antiphon::loop {

/// A Backend derives from its Scheduler and has
///
///     std::optional<I::Response> attempt(Task&, Channel&, const I&)   for Accept, Recv and Send: the response; or
///     none,
///                                            and it will make the task ready when another attempt is worth it
///     bool withdraw(Task&, Channel&, const I&)   the task waits no longer; false: its attempt is still to succeed
///     (and both for Connect, without a Channel)
///     Result<Unit> close(Channel&)    nobody holds it any more
///     std::size_t poll(Nanoseconds at_most)  submits what there is, waits for events and wakes tasks; the number of
///                                            events that came from the network
///     bool busy() const               something is still to be closed
///     static bool could_send(const Channel&)   a Send that waits, and is due, could go on and will be told so
///     static constexpr bool sockets_block     its sockets are to be without O_NONBLOCK
template <class Backend, class TheChannel>
class Scheduler {
 public:
  using Channel = TheChannel;
  using Task = loop::Task<Channel>;

  LoopReport run(const Server& server) {
    timers_.make_room(1);
    pool::keep_reserve();
    Task& first = tasks_.take();
    first.process.emplace(server);
    ++living_;
    make_ready(first);
    try {
      run_to_the_end();
    } catch (...) {
      release_everything();
      throw;
    }
    release_everything();
    return report_;
  }

 protected:
  [[nodiscard]] Nanoseconds now() const { return now_; }

  /// The descriptor was closed.
  void forget(Channel& channel) { channels_.give_back(channel); }

  /// A socket that came to nothing.
  void drop(Task& task, Socket socket) { kernel::tell_nobody(backend().close(*task.sockets.remove(socket))); }

  /// A new socket of the process.
  Result<Socket> add(Task& task, kernel::Descriptor descriptor) {
    Channel* channel = nullptr;
    try {
      channel = &channels_.take();
      const Socket name = task.sockets.add(channel);
      channel->descriptor = descriptor.hand_on();
      channel->holders = 1;
      return name;
    } catch (const std::bad_alloc&) {
      if (channel != nullptr) channels_.give_back(*channel);
      return failed(Errno::NOMEM);
    }
  }

  void make_ready(Task& task) {
    task.waits = false;
    ready_.push(task);
  }
  void wake_all(TaskQueue<Task>& waiting) {
    while (Task* const task = waiting.pop()) make_ready(*task);
  }

  /// The stop's descriptor is readable, and what came before the stop has been answered.
  void stop_requested() {
    if (stopped_at_ != kernel::never) return;
    stopped_at_ = options_.stop->requested_at();
    cut_those_that_wait();
    bound_the_end();
  }

  /// And so is the other one: the drain is over.
  void stop_at_once_requested() {
    stop_requested();
    at_once_ = true;
    cut_those_that_wait();
    give_up_at_ = std::min(give_up_at_, kernel::now() + at_once_grace);
  }

  /// The errand's descriptor is readable.
  void run_errand() { options_.errand.run(); }
  [[nodiscard]] bool is_conducted() const { return options_.conductor != nullptr; }
  template <class Visit>
  void for_each_channel(Visit&& visit) {
    channels_.for_each_in_use(visit);
  }
  [[nodiscard]] int errand_descriptor() const { return options_.errand.descriptor; }

 private:
  friend Backend;

  /// What processes have to close their sockets once they were cut.
  static constexpr Nanoseconds at_once_grace = kernel::second;

  explicit Scheduler(const LoopOptions& options)
      : options_(options),
        family_(options.family == nullptr ? &own_family_ : options.family),
        alike_(family_->origins),
        counts_(options.counts == nullptr ? &own_counts_ : options.counts),
        spin_(options.spin_us) {}

  void cut_those_that_wait() {
    tasks_.for_each_in_use([&](Task& task) {
      if (!task.waits) return;
      visit_waiting(task, [&](const auto& instruction) { arm(task, std::min(task.due, cut_of(task, instruction))); });
    });
  }

  static void add_to(std::atomic<std::int64_t>& count, std::int64_t change) {
    count.store(count.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
  }

  Backend& backend() { return static_cast<Backend&>(*this); }

  void run_to_the_end() {
    for (;;) {
      run_ready();
      if (living_ == 0 && !backend().busy()) break;
      if (now_ >= give_up_at_) {
        report_.cut_off = living_;
        tasks_.for_each_in_use([&](const Task& task) { report_.cut += task.id != 0 && !task.cut ? 1 : 0; });
        break;
      }
      wait_for_events();
    }
  }

  void release_everything() {
    tasks_.for_each_in_use([&](Task& task) { release_all(task); });
  }

  // -- running --------------------------------------------------------------------------------------------------

  /// Each task that is ready now has a turn, so that none of them starves the network or the others.
  void run_ready() {
    TaskQueue<Task> round = std::exchange(ready_, {});
    while (Task* const task = round.pop()) turn(*task);
  }

  void turn(Task& task) {
    constexpr int most_instructions = 32;
    for (int count = 0; count < most_instructions; ++count) {
      if (task.id == 0 && untold_ && !tell_again(task)) {
        kernel::rest();
        break;
      }
      if (options_.conductor != nullptr && !has_cue(task)) break;
      if (task.process->finished()) return end(task);
      bool waits = false;
      task.process->pending([&]<class I>(const I& instruction) {
        if constexpr (std::same_as<I, Fork>) {
          fork(task, instruction);
        } else if (auto response = carry_out(task, instruction)) {
          answer(task, instruction, *response);
        } else {
          waits = true;
        }
      });
      if (waits) return;
    }
    make_ready(task);
  }

  bool has_cue(const Task& task) {
    const auto cue = options_.conductor->cue(task.id, task.events);
    cue_ = cue.value_or(Cue());
    return cue.has_value();
  }

  /// As the conductor wants it, if there is one.
  template <Instruction I>
  std::optional<typename I::Response> carry_out(Task& task, const I& instruction) {
    if (options_.conductor == nullptr) return perform(task, instruction);
    auto given = given_answer<I>(cue_);
    if (!given) return perform(task, directed(instruction, cue_));
    if constexpr (std::same_as<I, Close>) perform(task, instruction);
    const auto socket = connection_of(instruction);
    if (socket && cue_.disconnects) kernel::tell_nobody(kernel::disconnect(descriptor_of(task, *socket)));
    return given;
  }

  template <Instruction I>
  void answer(Task& task, const I& instruction, const typename I::Response& response) {
    if (options_.observer != nullptr) options_.observer->saw(task.id, ExchangeRef<I>{instruction, response}, now_);
    if constexpr (Waits<I>) note_outcome<I>(task, response);
    const bool tells = std::same_as<I, Listen> || !response;
    if (is_told(task, tells)) report(task, Issued{Exchange<I>{instruction, response}, std::nullopt});
    go_on(task, instruction, response);
  }

  template <Waits I>
  void note_outcome(Task& task, const typename I::Response& response) {
    if (response) {
      if constexpr (std::same_as<I, Accept>) add_to(counts_->accepted, 1);
    } else if (response.error() == Errno::STOPPING && task.id != 0 && !task.cut) {
      task.cut = true;
      ++report_.cut;
    }
  }

  /// A process that finds no memory for what follows ends, as one of the operating system would, and it alone. The
  /// first one serves all: it is told again until there is memory.
  template <Instruction I>
  void go_on(Task& task, const I& instruction, const typename I::Response& response) {
    task.begun = false;
    if (task.id == 0) return first_goes_on(task, Exchange<I>{instruction, response});
    try {
      task.process->template answer<I>(response);
    } catch (const std::bad_alloc&) {
      task.process.emplace(without_memory_);
    }
  }

  template <Instruction I>
  void first_goes_on(Task& first, Exchange<I> told) {
    const auto stood = first.process;
    try {
      first.process->template answer<I>(*told.response);
    } catch (const std::bad_alloc&) {
      first.process = stood;
      untold_.emplace(std::move(told));
    }
  }

  /// False: it still stands where it stood.
  bool tell_again(Task& first) {
    auto told = std::exchange(untold_, std::nullopt);
    std::visit([&]<class I>(Exchange<I>& one) { first_goes_on(first, std::move(one)); }, *told);
    return !untold_;
  }

  /// Whether somebody is told what the task does; `watch` if it is more than daily business.
  [[nodiscard]] bool is_told(const Task& task, bool more) const {
    return options_.trace != nullptr || (more && task.id == 0 && options_.watch);
  }

  template <class What>
  void report(Task& task, What what) {
    const ProcessEvent event{task.id, task.events++, std::move(what)};
    if (options_.trace != nullptr) options_.trace->write(event);
    if (task.id == 0 && options_.watch) options_.watch(event);
  }

  void end(Task& task) {
    const Result<Unit> result = task.process->result();
    release_all(task);
    if (options_.observer != nullptr) options_.observer->ended(task.id, result, now_);
    if (is_told(task, true)) report(task, Ended{result});
    if (task.id == 0) {
      report_.result = result;
      first_ended_ = true;
      bound_the_end();
    } else if (!result) {
      ++report_.failed;
    }
    const bool has_parent = task.parent != nullptr && task.parent->in_use() && task.parent->id == task.parent_id;
    alike_.ended(task.id, has_parent && !task.parent->discards_children);
    if (has_parent) {
      if (task.parent->discards_children) {
        discount_children(*task.parent, 1);
      } else {
        ++task.parent->zombies;
      }
    } else if (task.id != 0 && task.parent_id == 0) {
      family_->living.fetch_sub(1, std::memory_order_relaxed);
    }
    if (task.id != 0) add_to(counts_->living, -1);
    timers_.remove(task);
    --living_;
    tasks_.give_back(task);
  }

  /// Once the first process has ended after a stop, the others have their time.
  void bound_the_end() {
    if (!first_ended_ || stopped_at_ == kernel::never) return;
    give_up_at_ = std::min(give_up_at_, kernel::after(kernel::now(), options_.grace_ms));
  }

  // -- processes ------------------------------------------------------------------------------------------------

  void fork(Task& task, const Fork& instruction) {
    if (cue_.answer) return answer(task, instruction, failed(*cue_.answer));
    if (!admit_child(task, instruction.at_most)) return answer(task, instruction, failed(Errno::AGAIN));
    if (const auto admitted = admit_by_address(task, instruction); !admitted) {
      discount_children(task, 1);
      return answer(task, instruction, failed(admitted.error()));
    }
    Task* const child = copy_of(task);
    if (child == nullptr) {
      alike_.ended(last_id_ + 1, false);
      discount_children(task, 1);
      return answer(task, instruction, failed(Errno::NOMEM));
    }
    ++living_;
    add_to(counts_->living, 1);
    const Fork::Response to_parent = Forked(Parent{Pid{static_cast<std::int64_t>(child->id) + 1}});
    if (options_.observer != nullptr) {
      options_.observer->saw(task.id, ExchangeRef<Fork>{instruction, to_parent}, now_);
      options_.observer->forked(task.id, child->id);
    }
    if (is_told(task, false)) report(task, Issued{Exchange<Fork>{instruction, to_parent}, child->id});
    // The child goes on first: all children do so alike, and core keeps what it finds first.
    answer(*child, instruction, Forked(Child{}));
    make_ready(*child);
    go_on(task, instruction, to_parent);
  }

  /// Counts one more child, unless that many live already.
  bool admit_child(Task& task, std::int64_t at_most) {
    const std::int64_t before =
        task.id == 0 ? family_->living.fetch_add(1, std::memory_order_relaxed) : task.living_children++;
    if (before >= at_most) discount_children(task, 1);
    return before < at_most;
  }

  /// The same among those whose clients are at the same address, if that is limited.
  Result<Unit> admit_by_address(const Task& task, const Fork& instruction) {
    if (instruction.at_most_alike == unlimited) return Unit{};
    const Origin origin = origin_of(descriptor_of(task, instruction.client));
    return alike_.admit(task.id, last_id_ + 1, origin, instruction.at_most_alike);
  }

  void discount_children(Task& task, std::uint32_t count) {
    if (task.id == 0) {
      family_->living.fetch_sub(count, std::memory_order_relaxed);
    } else {
      task.living_children -= count;
    }
  }

  /// A child of the task that stands where it stands and holds what it holds; null where there is no memory for it.
  Task* copy_of(Task& task) {
    Task* child = nullptr;
    try {
      timers_.make_room(static_cast<std::size_t>(living_) + 1);
      child = &tasks_.take();
      child->sockets = task.sockets;
    } catch (const std::bad_alloc&) {
      if (child != nullptr) tasks_.give_back(*child);
      return nullptr;
    }
    child->process = task.process;
    child->sockets.for_each([](Channel* channel) { ++channel->holders; });
    child->id = ++last_id_;
    child->parent = &task;
    child->parent_id = task.id;
    return child;
  }

  void release_all(Task& task) {
    task.sockets.for_each([&](Channel* channel) { kernel::tell_nobody(release(*channel)); });
    task.sockets = {};
  }

  Result<Unit> release(Channel& channel) {
    if (--channel.holders > 0) return Unit{};
    return backend().close(channel);
  }

  // -- instructions ---------------------------------------------------------------------------------------------

  /// What ended sessions gave back may be all the memory that there is. Those that live go on with it.
  [[nodiscard]] bool has_reserve() const {
    if (pool::keep_reserve()) return true;
    if (living_ > 1) return false;
    pool::trim();
    return pool::keep_reserve();
  }

  template <Waits I>
  std::optional<typename I::Response> perform(Task& task, const I& instruction) {
    const bool first_look = !std::exchange(task.begun, true);
    // That there is no such socket comes before a stop.
    if constexpr (OnSocket<I>) {
      if (task.sockets.at(socket_of(instruction)) == nullptr) return failed(Errno::BADF);
    }
    if (first_look && cut_of(instruction) <= now_) return failed(Errno::STOPPING);
    // The acceptor serves all, so it goes on only where it is sure to have memory for what follows.
    if (std::same_as<I, Accept> && !has_reserve()) return failed(Errno::NOMEM);
    if (auto response = attempt(task, instruction)) return response;
    // The clock was read when the turn began. Waits for others may count from there; a Sleep lasts as long as it says.
    const Nanoseconds start = std::same_as<I, Sleep> && first_look ? kernel::now() : now_;
    if (first_look) task.due = kernel::after(start, deadline_of(instruction).wait_ms);
    if constexpr (requires { instruction.until; }) task.due = std::min(task.due, task.alarm);
    const Nanoseconds due = std::min(task.due, cut_of(instruction));
    if (due <= now_ && withdraw(task, instruction)) return overdue(instruction, due);
    task.waits = true;
    // One that is over and was not withdrawn is answered soon: no timer would change that.
    if (due > now_) {
      arm(task, due);
    } else {
      task.due = due;
    }
    return std::nullopt;
  }

  template <Waits I>
  std::optional<typename I::Response> attempt(Task& task, const I& instruction) {
    if constexpr (std::same_as<I, Sleep>) {
      return std::nullopt;
    } else if constexpr (OnSocket<I>) {
      return backend().attempt(task, *task.sockets.at(socket_of(instruction)), instruction);
    } else {
      return backend().attempt(task, instruction);
    }
  }

  Result<Socket> open(Task& task, const OpenSocket& instruction) {
    if (options_.adopted != nullptr) {
      if (auto adopted = options_.adopted->take(instruction.at, Backend::sockets_block)) {
        if (!*adopted) return failed(adopted->error());
        return add(task, **std::move(adopted));
      }
    }
    auto opened = kernel::open_socket(instruction.at, options_.sharing);
    if (!opened) return failed(opened.error());
    if (Backend::sockets_block) kernel::make_blocking(opened->number());
    return add(task, *std::move(opened));
  }
  std::optional<Result<Socket>> perform(Task& task, const OpenSocket& instruction) { return open(task, instruction); }

  static int descriptor_of(const Task& task, Socket socket) {
    const Channel* const channel = task.sockets.at(socket);
    return channel == nullptr ? -1 : channel->descriptor;
  }
  static std::optional<Result<Endpoint>> perform(Task& task, const Listen& instruction) {
    return kernel::listen_at(descriptor_of(task, instruction.listener), instruction.backlog);
  }
  static std::optional<Result<Unit>> perform(Task& task, const ShutdownSend& instruction) {
    return kernel::end_side(descriptor_of(task, instruction.socket));
  }

  std::optional<Result<Unit>> perform(Task& task, const Close& instruction) {
    Channel* const channel = task.sockets.remove(instruction.socket);
    if (channel == nullptr) return failed(Errno::BADF);
    return release(*channel);
  }

  std::optional<Result<Unit>> perform(Task& task, const DiscardChildren&) {
    task.discards_children = true;
    discount_children(task, std::exchange(task.zombies, 0));
    alike_.discard(task.id);
    return Unit{};
  }

  // -- time -----------------------------------------------------------------------------------------------------

  std::optional<Result<Unit>> perform(Task& task, const Alarm& instruction) const {
    // It cuts others short, so it does not count the time that a long turn of theirs took.
    const bool rings = instruction.wait_ms != forever_ms;
    task.alarm = rings ? kernel::after(kernel::now(), instruction.wait_ms) : kernel::never;
    return Unit{};
  }

  /// When a stop cuts the instruction short.
  template <Waits I>
  [[nodiscard]] Nanoseconds cut_of(const I& instruction) const {
    if (stopped_at_ == kernel::never || at_once_) return stopped_at_;
    return kernel::after(stopped_at_, deadline_of(instruction).drain_ms);
  }

  /// The same for one that waits already, as its conductor would have it.
  template <Waits I>
  [[nodiscard]] Nanoseconds cut_of(const Task& task, const I& instruction) {
    if (options_.conductor == nullptr || !has_cue(task)) return cut_of(instruction);
    return cut_of(directed(instruction, cue_));
  }

  void arm(Task& task, Nanoseconds due) {
    task.due = due;
    if (due != kernel::never) timers_.set(task, due);
  }

  template <Waits I>
  bool withdraw(Task& task, const I& instruction) {
    if constexpr (std::same_as<I, Sleep>) {
      return true;
    } else if constexpr (OnSocket<I>) {
      return backend().withdraw(task, *task.sockets.at(socket_of(instruction)), instruction);
    } else {
      return backend().withdraw(task, instruction);
    }
  }

  template <Waits I>
  typename I::Response overdue(const I& instruction, Nanoseconds due) const {
    if (due == cut_of(instruction)) return failed(Errno::STOPPING);
    if constexpr (std::same_as<I, Sleep>) return Unit{};
    return failed(Errno::EXPIRED);
  }

  template <class Visit>
  static void visit_waiting(Task& task, Visit&& visit) {
    task.process->pending([&]<class I>(const I& instruction) {
      if constexpr (Waits<I>) visit(instruction);
    });
  }

  static bool would_go_on(const Task& task, const Recv& recv) {
    const auto there = kernel::peek(descriptor_of(task, recv.from));
    return there || there.error() != Errno::AGAIN;
  }
  static bool would_go_on(const Task& task, const Send& send) { return Backend::could_send(*task.sockets.at(send.to)); }

  void fire_timers() {
    while (Task* const task = timers_.take_due(now_)) {
      if (!task->waits) continue;
      if (task->due > now_) {
        arm(*task, task->due);
        continue;
      }
      visit_waiting(*task, [&]<class I>(const I& instruction) {
        if constexpr (std::same_as<I, Recv> || std::same_as<I, Send>) {
          // The wake-up may have been late, for all: what has become possible meanwhile comes first.
          if (task->due != cut_of(instruction) && would_go_on(*task, instruction)) {
            return arm(*task, now_ + kernel::second);
          }
        }
        if (!withdraw(*task, instruction)) return;
        answer(*task, instruction, overdue(instruction, task->due));
        make_ready(*task);
      });
    }
  }

  // -- waiting --------------------------------------------------------------------------------------------------

  void wait_for_events() {
    if (!ready_.empty()) {
      backend().poll(0);
      now_ = kernel::now();
    } else {
      sleep();
    }
    fire_timers();
  }

  void sleep() {
    const Nanoseconds start = kernel::now();
    const Nanoseconds end = std::min(timers_.next(), give_up_at_);
    const Nanoseconds polled_until = std::min(start + spin_.limit(), end);
    const bool polls = polled_until > start;
    std::size_t events = 0;
    now_ = start;
    while (now_ < polled_until) {
      events = backend().poll(0);
      now_ = kernel::now();
      if (events != 0 || !ready_.empty() || !spin_.give_way()) break;
    }
    if (events == 0 && ready_.empty()) {
      events = backend().poll(end == kernel::never ? kernel::never : std::max<Nanoseconds>(end - now_, 0));
      now_ = kernel::now();
    }
    // (A task that is ready without an event was answered by the kernel at once: that was no wait.)
    if (events != 0 || (polls && ready_.empty())) spin_.learn(now_ - start, polls, events);
  }

  LoopOptions options_;
  Cue cue_;  ///< How the task whose turn it is goes on, if somebody conducts.
  LoopFamily own_family_;
  LoopFamily* family_;
  AlikeChildren alike_;
  LoopCounts own_counts_;
  LoopCounts* counts_;
  Spin spin_;
  std::optional<AnyExchange<Net>> untold_;  ///< The first process was not told the response yet, for want of memory.
  Slab<Task> tasks_;
  Slab<Channel> channels_;
  Timers<Task> timers_;
  TaskQueue<Task> ready_;
  LoopReport report_;
  const Server without_memory_ = ret(Result<Unit>(failed(Errno::NOMEM)));
  std::int64_t living_ = 0;
  ProcessId last_id_ = 0;
  Nanoseconds now_ = kernel::now();
  Nanoseconds stopped_at_ = kernel::never;
  Nanoseconds give_up_at_ = kernel::never;
  bool at_once_ = false;
  bool first_ended_ = false;
};

}  // namespace antiphon::loop
