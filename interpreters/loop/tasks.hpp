#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "core/process.hpp"
#include "core/programs/server.hpp"
#include "core/trace.hpp"
#include "interpreters/kernel.hpp"
#include "interpreters/loop/timers.hpp"
#include "interpreters/operands.hpp"
#include "interpreters/socket_table.hpp"

/// What an event loop holds: the processes of a program, the queues that they stand in, what their sockets stand for,
/// and which instructions may wait.

namespace antiphon::loop {

using kernel::Nanoseconds;

/// Objects of one kind at addresses that stay. T has `bool in_use() const` and becomes unused by `T{}`.
template <class T>
class Slab {
 public:
  T& take() {
    if (free_ == nullptr) return all_.emplace_back();
    T& taken = *free_;
    free_ = taken.next;
    taken.next = nullptr;
    return taken;
  }
  void give_back(T& one) {
    one = T{};
    one.next = free_;
    free_ = &one;
  }
  template <class Visit>
  void for_each_in_use(Visit&& visit) {
    for (T& one : all_) {
      if (one.in_use()) visit(one);
    }
  }

 private:
  std::deque<T> all_;
  T* free_ = nullptr;
};

/// A process of the program: where it stands, and what it holds.
template <class Channel>
struct Task {
  std::optional<Process<Net, Result<Unit>>> process;  ///< None: the task is not in use.
  SocketTable<Channel*, nullptr> sockets;
  Task* next = nullptr;  ///< In the queue that it stands in.
  ProcessId id = 0;
  std::uint64_t events = 0;
  Task* parent = nullptr;  ///< Who forked it, if that one still has the number `parent_id`.
  ProcessId parent_id = 0;
  Nanoseconds due = kernel::never;    ///< While it waits: when that is cut short.
  Nanoseconds alarm = kernel::never;  ///< When that rings.
  std::uint32_t timer = no_place;
  std::uint32_t living_children = 0;  ///< Of the first process they are in the LoopFamily.
  std::uint32_t zombies = 0;
  std::int32_t outcome = 0;  ///< This and what follows is the backend's, while the instruction is under way.
  Socket connecting;
  std::uint8_t stage = 0;
  bool begun = false;  ///< The pending instruction was looked at before.
  bool waits = false;
  bool discards_children : 1 = false;
  bool cut : 1 = false;  ///< The stop answered an instruction of it.

  [[nodiscard]] bool in_use() const { return process.has_value(); }
};

/// Tasks one after the other, linked by `next`; a task stands in one queue at a time.
template <class Task>
class TaskQueue {
 public:
  [[nodiscard]] bool empty() const { return first_ == nullptr; }
  void push(Task& task) {
    task.next = nullptr;
    (first_ == nullptr ? first_ : last_->next) = &task;
    last_ = &task;
  }
  Task* pop() {
    Task* const taken = first_;
    if (taken != nullptr) first_ = taken->next;
    return taken;
  }
  void remove(const Task& task) {
    Task* before = nullptr;
    for (Task* one = first_; one != nullptr; before = one, one = one->next) {
      if (one != &task) continue;
      (before == nullptr ? first_ : before->next) = one->next;
      if (last_ == one) last_ = before;
      return;
    }
  }

 private:
  Task* first_ = nullptr;
  Task* last_ = nullptr;
};

/// What a socket's name stands for: a descriptor, and how many names for it there are in all processes.
struct ChannelBase {
  int descriptor = -1;
  std::uint32_t holders = 0;

  [[nodiscard]] bool in_use() const { return descriptor >= 0; }
};

/// The instructions that may wait.
template <class I>
concept Waits = std::same_as<I, Accept> || std::same_as<I, Connect> || std::same_as<I, Recv> || std::same_as<I, Send> ||
                std::same_as<I, Sleep>;

}  // namespace antiphon::loop
