#include "verify/foreign/log_judge.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "interpreters/strace_arguments.hpp"

namespace antiphon::verify::foreign {

namespace {

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::ranges::find(names, name) != names.end();
}

/// By these an operator ends a server that handles them.
constexpr std::array<std::string_view, 3> stops{"SIGTERM", "SIGINT", "SIGQUIT"};
/// By these one that does not.
constexpr std::array<std::string_view, 5> kills{"SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGKILL"};

}  // namespace

LogJudge::LogJudge(const strace::Reader& reader, std::optional<std::int64_t> port)
    : reader_(&reader), port_(port), traffic_(findings_) {}

std::string_view LogJudge::Returned::argument(std::size_t index) const {
  return index < arguments.size() ? arguments[index] : std::string_view();
}

Moment LogJudge::moment_of(const Task& task, std::size_t line) const {
  return {line, task.pid, line, reader_->name_of(task.pid), "", std::nullopt};
}

// -- Whose event it is -------------------------------------------------------------------------------------------

/// Null: it is not known yet whose child that is, or there is nobody.
Task* LogJudge::whose(const strace::Event& event) {
  const Pid pid = event.pid;
  if (Task* const task = processes_.find(pid)) return task;
  if (const auto* const attached = std::get_if<strace::Attached>(&event.what)) {
    processes_.attach(pid, attached->threads);
    return nullptr;
  }
  if (std::holds_alternative<strace::Superseded>(event.what)) return nullptr;
  const bool is_first = processes_.empty();
  const std::vector<Task*> parents = processes_.expecting();
  if (parents.size() > 1 || !unborn_.empty()) {
    unborn_[pid].push_back(event);
    return nullptr;
  }
  if (parents.size() == 1) {
    parents[0]->call->child = pid;
    return &processes_.bear(*parents[0], pid, parents[0]->call->flags);
  }
  Task& task = processes_.appear(pid);
  const auto* const call = std::get_if<strace::Call>(&event.what);
  if (is_first && call != nullptr && call->name == "execve") {
    for (const int standard : {0, 1, 2}) task.table->slots[standard].file = make(OpenFile::Kind::standard);
  }
  return &task;
}

void LogJudge::see(const strace::Event& event) {
  if (Task* const task = whose(event)) {
    see(*task, event);
  } else if (const auto* const superseded = std::get_if<strace::Superseded>(&event.what)) {
    processes_.rename(superseded->by, event.pid);
  }
}

void LogJudge::see(Task& task, const strace::Event& event) {
  task.heard = true;
  if (const auto* const call = std::get_if<strace::Call>(&event.what)) {
    see_call(task, event.line, *call);
  } else if (const auto* const signal = std::get_if<strace::Signal>(&event.what)) {
    see_signal(task, *signal);
  } else if (const auto* const gone = std::get_if<strace::Gone>(&event.what)) {
    end(event.pid, *gone, event.line);
  } else if (const auto* const superseded = std::get_if<strace::Superseded>(&event.what)) {
    // The thread that calls exec lives on under its process's number.
    end(event.pid, {}, event.line);
    processes_.rename(superseded->by, event.pid);
  }
}

// -- Calls -------------------------------------------------------------------------------------------------------

void LogJudge::see_call(Task& task, std::size_t line, const strace::Call& call) {
  if (call.begins) {
    ++findings_.tally.events;
    notice_name(call.name);
    begin(task, call);
  }
  if (!call.result) return;
  Returned returned{task, call, moment_of(task, line), strace::items(call.arguments)};
  returned.moment.begun = call.begun;
  returned.moment.call = call.name;
  if (const int descriptor = returned.descriptor(0); descriptor >= 0) returned.moment.descriptor = descriptor;
  leave(returned);
}

/// What a call does as soon as it begins.
void LogJudge::begin(Task& task, const strace::Call& call) {
  task.call = OpenCall{};
  task.call->name = call.name;
  if (makes_child(call.name)) task.call->flags = call.arguments;
  if (call.name == "exit_group") task.process->leaves = call.begun;
  if (call.name == "kill" || call.name == "tgkill" || call.name == "tkill") strike(task, call);
  if (const auto kind = data_call(call.name)) return offer(task, *kind, call);
  if (const auto known = route(call.name)) return hold(task, *known, call);
  if (call.name != "close") return;
  // From now on the number may be given to somebody else.
  task.call->file = task.table->take(descriptor_in(call.arguments), call.begun);
}

void LogJudge::leave(const Returned& returned) {
  Task& task = returned.task;
  // Of a call that began before strace was there.
  if (!task.call) task.call = OpenCall{};
  if (returned.result().error == "EBADF") misused(returned);
  if (const auto kind = data_call(returned.call.name)) {
    on_data(returned, *kind);
  } else if (const auto known = route(returned.call.name)) {
    on_splice(returned, *known);
  } else if (const auto handler = handlers().find(returned.call.name); handler != handlers().end()) {
    (this->*handler->second)(returned);
  }
  release(task.call->file, returned.moment, task.process->stopped);
  release(task.call->from, returned.moment, task.process->stopped);
  task.call.reset();
}

/// A log that is recorded with a filter (-e trace=…) lacks calls that may have moved bytes. One that shows what has
/// nothing to do with them is none.
void LogJudge::notice_name(std::string_view name) {
  static constexpr std::array<std::string_view, 14> beside{
      "mmap",         "munmap",          "mprotect", "brk",     "futex",     "rt_sigaction", "rt_sigprocmask",
      "rt_sigreturn", "set_robust_list", "rseq",     "madvise", "getrandom", "newfstatat",   "clock_nanosleep"};
  static constexpr std::array<std::string_view, 8> waiting{"epoll_wait", "epoll_pwait", "epoll_pwait2", "poll",
                                                           "ppoll",      "select",      "pselect6",     "_newselect"};
  static constexpr std::array<std::string_view, 6> configuring{"epoll_ctl",  "fcntl",       "ioctl",
                                                               "setsockopt", "getsockname", "getpeername"};
  whole_ = whole_ || is_one_of(name, beside);
  waits_ = waits_ || is_one_of(name, waiting);
  configures_ = configures_ || is_one_of(name, configuring);
}

// -- Signals and ends --------------------------------------------------------------------------------------------

/// The server ends one of its own processes.
void LogJudge::strike(const Task& task, const strace::Call& call) {
  const auto arguments = strace::items(call.arguments);
  if (arguments.size() < 2 || !is_one_of(arguments.back(), kills) || task.process->stopped) return;
  const Pid target = strace::number(arguments[call.name == "tgkill" ? 1 : 0]).value_or(0);
  for (auto& [pid, other] : processes_.tasks()) {
    if (pid == target || (target <= 0 && pid != task.pid)) other.process->struck = true;
  }
}

void LogJudge::see_signal(Task& task, const strace::Signal& signal) {
  if (!is_one_of(signal.name, stops) || task.process->struck) return;
  const Task* const sender = signal.sender ? processes_.find(*signal.sender) : nullptr;
  if (sender != nullptr && !sender->process->stopped) {
    task.process->struck = true;
  } else {
    processes_.stop(task);
  }
}

void LogJudge::end(Pid pid, const strace::Gone& gone, std::size_t line) {
  auto task = processes_.remove(pid);
  if (!task) return;
  Process& process = *task->process;
  if (is_one_of(gone.killed_by, kills) && !process.struck) process.stopped = true;
  const Moment moment = moment_of(*task, line);
  if (task->call) {
    OpenCall& call = *task->call;
    if (call.may_send && call.file && call.file->client) call.file->client->may_have_sent = true;
    release(call.file, moment, process.stopped);
    release(call.from, moment, process.stopped);
  }
  if (task->table.use_count() == 1) release_all(*task->table, moment, process.stopped);
}

Verdict LogJudge::finish(bool cut) {
  std::vector<std::pair<Pid, std::size_t>> leaving;
  for (const auto& [pid, task] : processes_.tasks()) {
    if (task.process->leaves != 0) leaving.emplace_back(pid, task.process->leaves);
  }
  for (const auto& [pid, line] : leaving) end(pid, {}, line);
  std::set<const Table*> tables;
  std::map<Client*, Moment> open;
  for (const auto& [pid, task] : processes_.tasks()) {
    if (!tables.insert(task.table.get()).second) continue;
    for (const auto& [descriptor, slot] : task.table->slots) {
      if (!slot.file || !slot.file->client) continue;
      Moment moment = moment_of(task, 0);
      moment.descriptor = descriptor;
      traffic_.held(moment, *slot.file->client, *task.table);
      open.emplace(slot.file->client.get(), moment);
    }
  }
  for (const auto& [client, moment] : open) traffic_.left_open(moment, *client);
  findings_.tally.processes = processes_.processes();
  note_what_lacks(cut);
  return findings_.verdict();
}

void LogJudge::note_what_lacks(bool cut) {
  if (cut) findings_.doubt("cut", "the log is cut off in its last line");
  for (const auto& [pid, events] : unborn_) {
    findings_.doubt("unborn", reader_->name_of(pid) + " is in the log, and the call that made it is not");
  }
  for (const auto& [pid, task] : processes_.tasks()) {
    if (task.heard) continue;
    findings_.blind("followed", "the log has nothing of " + reader_->name_of(pid) +
                                    ", which it shows being made: record it with -f, into one file");
  }
  findings_.doubt_if_nothing_was_said();
  if (whole_ || (waits_ && configures_)) return;
  findings_.blind("filter",
                  "the log shows chosen calls only, and others may have moved bytes: record it without -e trace=, or "
                  "with -e trace=%desc,%network,%process");
}

}  // namespace antiphon::verify::foreign
