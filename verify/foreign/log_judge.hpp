#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interpreters/strace_text.hpp"
#include "verify/foreign/data_calls.hpp"
#include "verify/foreign/findings.hpp"
#include "verify/foreign/open_files.hpp"
#include "verify/foreign/processes.hpp"
#include "verify/foreign/traffic.hpp"

namespace antiphon::verify::foreign {

/// Follows the events of a log of strace: which descriptor leads where, and what moves on it. A call takes its
/// descriptor, and what it writes into a pipe, when it begins: until it returns others may have gone on with them.
class LogJudge {
 public:
  /// `port`: only clients of a listener of this port are judged.
  LogJudge(const strace::Reader& reader, std::optional<std::int64_t> port);

  void see(const strace::Event& event);
  /// What the log must have and does not, once an event has shown that.
  [[nodiscard]] const std::optional<BadInput>& refusal() const { return refusal_; }
  Verdict finish(bool cut);

 private:
  /// A call that has returned.
  struct Returned {
    Task& task;
    const strace::Call& call;
    Moment moment;
    std::vector<std::string_view> arguments;

    [[nodiscard]] const strace::Result& result() const { return *call.result; }
    [[nodiscard]] std::int64_t value() const { return call.result->value.value_or(-1); }
    /// So many bytes, or messages; 0 if it failed.
    [[nodiscard]] std::uint64_t count() const {
      return static_cast<std::uint64_t>(result().succeeded() && value() > 0 ? value() : 0);
    }
    [[nodiscard]] std::string_view argument(std::size_t index) const;
    /// The descriptor in an argument; -1 if there is none.
    [[nodiscard]] int descriptor(std::size_t index) const { return descriptor_in(argument(index)); }
    [[nodiscard]] File file(std::size_t index) const { return task.table->file(descriptor(index)); }
  };
  using Handler = void (LogJudge::*)(const Returned&);
  static const std::map<std::string_view, Handler>& handlers();

  // log_judge.cpp: events, processes
  Task* whose(const strace::Event& event);
  void see(Task& task, const strace::Event& event);
  void see_call(Task& task, std::size_t line, const strace::Call& call);
  void see_signal(Task& task, const strace::Signal& signal);
  void begin(Task& task, const strace::Call& call);
  void leave(const Returned& returned);
  void end(Pid pid, const strace::Gone& gone, std::size_t line);
  void notice_name(std::string_view name);
  void strike(const Task& task, const strace::Call& call);
  void note_what_lacks(bool cut);
  [[nodiscard]] Moment moment_of(const Task& task, std::size_t line) const;

  // descriptors.cpp: who holds what
  File make(OpenFile::Kind kind) const;
  void install(const Returned& returned, std::int64_t descriptor, File file, bool close_on_exec);
  void drop(Table& table, int descriptor, const Moment& moment, bool stopped);
  void release(File& file, const Moment& moment, bool stopped);
  void release_all(Table& table, const Moment& moment, bool stopped);
  void misused(const Returned& returned);
  void on_accept(const Returned& returned);
  void on_socket(const Returned& returned);
  void on_address(const Returned& returned);
  void on_listen(const Returned& returned);
  void on_pair(const Returned& returned);
  void on_pipe(const Returned& returned);
  void on_open(const Returned& returned);
  void on_epoll_create(const Returned& returned);
  void on_dup(const Returned& returned);
  void on_fcntl(const Returned& returned);
  void on_ioctl(const Returned& returned);
  void on_close_range(const Returned& returned);
  void on_clone(const Returned& returned);
  void on_exec(const Returned& returned);
  void on_unshare(const Returned& returned);

  // bytes.cpp: what moves
  void offer(Task& task, const DataCall& kind, const strace::Call& call);
  void on_data(const Returned& returned, const DataCall& kind);
  void on_data_of_client(const Returned& returned, const DataCall& kind, const File& file);
  void on_data_of_channel(const Returned& returned, const DataCall& kind, const File& file);
  void on_data_from_nowhere(const Returned& returned, const DataCall& kind);
  void on_error(const Returned& returned, const File& file);
  void on_passed_descriptors(const Returned& returned, const File& file);
  void hold(Task& task, const Route& route, const strace::Call& call);
  void on_splice(const Returned& returned, const Route& route);
  void on_shutdown(const Returned& returned);
  void on_getsockopt(const Returned& returned);
  void on_epoll_ctl(const Returned& returned);
  void on_epoll_wait(const Returned& returned);
  void on_poll(const Returned& returned);
  void on_io_uring(const Returned& returned);
  std::optional<std::vector<Segment>> taken_from(const Returned& returned, const File& from, std::uint64_t count);

  const strace::Reader* reader_;
  std::optional<std::int64_t> port_;
  Findings findings_;
  Traffic traffic_;
  Processes processes_;
  std::map<Pid, std::deque<strace::Event>> unborn_;  ///< Held back until it is told whose child that is.
  std::deque<std::vector<File>> passing_;            ///< Descriptors on their way over sockets that are not a pair.
  std::optional<BadInput> refusal_;
  bool whole_ = false;       ///< A call was seen that nobody would record on purpose.
  bool waits_ = false;       ///< One that waits for several descriptors was seen,
  bool configures_ = false;  ///< and one that configures them.
};

}  // namespace antiphon::verify::foreign
