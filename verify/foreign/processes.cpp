#include "verify/foreign/processes.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "interpreters/strace_arguments.hpp"

namespace antiphon::verify::foreign {

bool makes_child(std::string_view name) {
  static constexpr std::array<std::string_view, 4> names{"clone", "clone3", "fork", "vfork"};
  return std::ranges::find(names, name) != names.end();
}

Task* Processes::find(Pid pid) {
  const auto found = tasks_.find(pid);
  return found == tasks_.end() ? nullptr : &found->second;
}

Task& Processes::appear(Pid pid) {
  if (attached_threads_ > 0) {
    --attached_threads_;
    return tasks_[pid] = Task{pid, attached_, attached_table_, std::nullopt, true};
  }
  ++processes_;
  return tasks_[pid] = Task{pid, std::make_shared<Process>(), std::make_shared<Table>(), std::nullopt, true};
}

void Processes::attach(Pid pid, std::int64_t threads) {
  const Task& task = appear(pid);
  attached_ = task.process;
  attached_table_ = task.table;
  attached_threads_ = threads > 0 ? threads - 1 : 0;
}

Task& Processes::bear(Task& parent, Pid child, std::string_view flags) {
  Task born{child, parent.process, parent.table, std::nullopt, false};
  if (!strace::has_flag(flags, "CLONE_FILES")) {
    born.table = std::make_shared<Table>();
    born.table->slots = parent.table->slots;
  }
  if (!strace::has_flag(flags, "CLONE_THREAD")) {
    ++processes_;
    born.process = std::make_shared<Process>(Process{parent.pid, parent.process->stopped, false, 0});
  }
  return tasks_[child] = std::move(born);
}

std::optional<Task> Processes::remove(Pid pid) {
  auto found = tasks_.extract(pid);
  if (!found) return std::nullopt;
  return std::move(found.mapped());
}

void Processes::rename(Pid from, Pid to) {
  auto task = tasks_.extract(from);
  if (!task) return;
  task.key() = to;
  task.mapped().pid = to;
  tasks_.insert(std::move(task));
}

void Processes::stop(const Task& task) {
  task.process->stopped = true;
  for (bool more = true; more;) {
    more = false;
    for (auto& [pid, child] : tasks_) {
      const Task* const parent = find(child.process->parent);
      if (child.process->stopped || parent == nullptr || !parent->process->stopped) continue;
      child.process->stopped = true;
      more = true;
    }
  }
}

std::vector<Task*> Processes::expecting() {
  std::vector<Task*> found;
  for (auto& [pid, task] : tasks_) {
    if (task.call && makes_child(task.call->name) && task.call->child == 0) found.push_back(&task);
  }
  return found;
}

}  // namespace antiphon::verify::foreign
