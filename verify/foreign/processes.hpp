#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interpreters/strace_text.hpp"
#include "verify/foreign/open_files.hpp"

namespace antiphon::verify::foreign {

using strace::Pid;

/// What the threads of a process have in common beside their descriptors.
struct Process {
  Pid parent = 0;
  bool stopped = false;    ///< Somebody outside of the log ends it by a signal.
  bool struck = false;     ///< The server itself ends it by a signal.
  std::size_t leaves = 0;  ///< The line of its exit_group; 0: none.
};

/// A call that has begun. What it uses stays open until it returns.
struct OpenCall {
  std::string name;
  File file;                  ///< What it reads or writes; of one that moves bytes inside the kernel: where they go,
  File from;                  ///< and where they come from.
  std::uint64_t offered = 0;  ///< Bytes that were put into a channel ahead,
  std::uint64_t offered_through = 0;  ///< and how many had been put in there with them.
  bool may_send = false;
  std::string flags;  ///< Of one that makes a child,
  Pid child = 0;      ///< which was heard of before the call returned.
};

/// A thread.
struct Task {
  Pid pid = 0;
  std::shared_ptr<Process> process;
  std::shared_ptr<Table> table;
  std::optional<OpenCall> call;
  bool heard = true;  ///< False: it was made, and no line is its own.
};

/// Who lives, and who shares what.
class Processes {
 public:
  [[nodiscard]] Task* find(Pid pid);
  [[nodiscard]] bool empty() const { return tasks_.empty(); }
  [[nodiscard]] std::uint64_t processes() const { return processes_; }
  [[nodiscard]] const std::map<Pid, Task>& tasks() const { return tasks_; }
  [[nodiscard]] std::map<Pid, Task>& tasks() { return tasks_; }

  /// One whose parent the log does not show: the first, or one that strace was attached to.
  Task& appear(Pid pid);
  /// Strace was attached to a process with so many threads, of which some may not have been heard of yet.
  void attach(Pid pid, std::int64_t threads);
  /// A child, with the flags of clone; they are "" for a fork.
  Task& bear(Task& parent, Pid child, std::string_view flags);
  /// Forgets it. What it leaves behind is the caller's.
  std::optional<Task> remove(Pid pid);
  void rename(Pid from, Pid to);

  /// Tells that the process of this task is being ended from outside, and with it all that come from it.
  void stop(const Task& task);

  /// Those in the middle of making a child that was not heard of yet.
  std::vector<Task*> expecting();

 private:
  std::map<Pid, Task> tasks_;
  std::uint64_t processes_ = 0;
  std::shared_ptr<Process> attached_;  ///< Its threads are still to be heard of:
  std::shared_ptr<Table> attached_table_;
  std::int64_t attached_threads_ = 0;  ///< so many.
};

/// Whether the call makes a child.
bool makes_child(std::string_view name);

}  // namespace antiphon::verify::foreign
