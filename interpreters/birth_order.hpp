#pragma once

#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/trace.hpp"

namespace antiphon {

/// Hands on a run's events in an order in which every process is made before it acts. A record of several processes
/// may have a child's events before its parent's Fork: they are held back until then.
class BirthOrder {
 public:
  /// `is_born(process)` tells whether the process acts already. `take(event)` is called with each event whose turn it
  /// is, and returns the child that this makes, if any.
  template <class IsBorn, class Take>
  void see(const Event& event, IsBorn&& is_born, Take&& take) {
    pass_on(event, is_born, take);
    // An event that is let go may let go of more: a queue, so that no line of descent is too long.
    while (!released_.empty()) {
      const Event next = std::move(released_.front());
      released_.pop_front();
      pass_on(next, is_born, take);
    }
  }

  /// What was seen of processes that nobody has made.
  [[nodiscard]] const std::map<ProcessId, std::vector<Event>>& unborn() const { return unborn_; }

 private:
  template <class IsBorn, class Take>
  void pass_on(const Event& event, IsBorn& is_born, Take& take) {
    const auto* const of_process = std::get_if<ProcessEvent>(&event);
    if (of_process != nullptr && !is_born(of_process->process)) {
      unborn_[of_process->process].push_back(event);
      return;
    }
    const std::optional<ProcessId> child = take(event);
    if (!child || unborn_.empty()) return;
    if (auto born = unborn_.extract(*child)) {
      released_.insert(released_.end(), std::make_move_iterator(born.mapped().begin()),
                       std::make_move_iterator(born.mapped().end()));
    }
  }

  std::map<ProcessId, std::vector<Event>> unborn_;
  std::deque<Event> released_;  ///< Not taken yet.
};

}  // namespace antiphon
