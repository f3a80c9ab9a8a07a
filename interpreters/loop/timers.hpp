#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "interpreters/kernel.hpp"

namespace antiphon::loop {

/// Where a task stands among the timers.
inline constexpr std::uint32_t no_place = ~std::uint32_t{0};

/// The times at which tasks have to be looked at, as a heap; a task has one at most. A task whose time moves to later
/// stays where it is: it is looked at too early then and set again, which is cheaper than moving it with each message.
///
/// A Task has a member `std::uint32_t timer`, which belongs to this class and starts as `no_place`.
template <class Task>
class Timers {
 public:
  /// Makes sure that so many tasks find room. Throws std::bad_alloc; `set` does not where there is room.
  void make_room(std::size_t tasks) {
    if (tasks > heap_.capacity()) heap_.reserve(std::max(tasks, 2 * heap_.capacity()));
  }

  /// The task is looked at no later than `at`.
  void set(Task& task, kernel::Nanoseconds at) {
    if (task.timer == no_place) {
      heap_.emplace_back();
      rise(heap_.size() - 1, {at, &task});
    } else if (at < heap_[task.timer].at) {
      rise(task.timer, {at, &task});
    }
  }

  void remove(Task& task) {
    const std::size_t place = task.timer;
    if (task.timer == no_place) return;
    task.timer = no_place;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (place == heap_.size()) return;
    if (place > 0 && last.at < heap_[parent(place)].at) {
      rise(place, last);
    } else {
      sink(place, last);
    }
  }

  /// When the next task is to be looked at.
  [[nodiscard]] kernel::Nanoseconds next() const { return heap_.empty() ? kernel::never : heap_.front().at; }

  /// A task whose time has come, which has no timer any more; null if there is none.
  Task* take_due(kernel::Nanoseconds now) {
    if (next() > now || heap_.empty()) return nullptr;
    Task* const due = heap_.front().task;
    remove(*due);
    return due;
  }

 private:
  struct Entry {
    kernel::Nanoseconds at = 0;
    Task* task = nullptr;
  };

  static std::size_t parent(std::size_t place) { return (place - 1) / 2; }

  void put(std::size_t place, const Entry& entry) {
    heap_[place] = entry;
    entry.task->timer = static_cast<std::uint32_t>(place);
  }

  void rise(std::size_t place, const Entry& entry) {
    for (; place > 0 && entry.at < heap_[parent(place)].at; place = parent(place)) put(place, heap_[parent(place)]);
    put(place, entry);
  }

  void sink(std::size_t place, const Entry& entry) {
    for (;;) {
      std::size_t child = 2 * place + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && heap_[child + 1].at < heap_[child].at) ++child;
      if (heap_[child].at >= entry.at) break;
      put(place, heap_[child]);
      place = child;
    }
    put(place, entry);
  }

  std::vector<Entry> heap_;
};

}  // namespace antiphon::loop
