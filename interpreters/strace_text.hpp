#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <istream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "interpreters/bad_input.hpp"
#include "interpreters/line_reader.hpp"

/// The log of strace(1): which process made which system call, and what it was answered. Read as it is written with
/// -f, with -o or without, with any of -t -tt -ttt -r -T -y -yy -x -xx -n -i -k and -e:
///
///     4242 accept4(3, {sa_family=AF_INET, …}, [16], SOCK_CLOEXEC) = 7
///     [pid  4242] 12:00:00.123 read(7<socket:[1]>, "hello\n", 1024) = 6 <0.000012>
///     4242 recvfrom(7,  <unfinished ...>
///     4243 +++ exited with 0 +++
///     4242 <... recvfrom resumed>"", 1024, 0, NULL, NULL) = 0
///     4242 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=0} ---

namespace antiphon::strace {

/// A process, or a thread.
using Pid = std::int64_t;

struct Result {
  std::optional<std::int64_t> value;  ///< None: `?`, it never returned, or begins again after a signal.
  std::string error;                  ///< "ECONNRESET"; "" where it did not fail.
  std::string detail;                 ///< What follows: "<TCP:[…]>", "([{fd=3, revents=POLLIN}])".

  [[nodiscard]] bool succeeded() const { return value && error.empty(); }
};

/// A call that begins, that returns, or both in one line.
struct Call {
  std::string name;
  std::string arguments;         ///< As written between the parentheses; of a call that only begins: so far.
  bool begins = true;            ///< False: it began in an earlier line.
  std::size_t begun = 0;         ///< In that line.
  std::optional<Result> result;  ///< None: it does not return yet, or was let go of.
};

/// A signal that was delivered.
struct Signal {
  std::string name;
  std::optional<Pid> sender;
};

struct Gone {
  std::string killed_by;  ///< A signal's name; "" if it ended by itself.
};

/// A thread's exec ended its process's other threads, and it takes the process's number.
struct Superseded {
  Pid by;
};

/// strace came when the process was running already, with all of its threads.
struct Attached {
  std::int64_t threads;
};

struct Event {
  std::size_t line;
  Pid pid;
  std::variant<Call, Signal, Gone, Superseded, Attached> what;
};

/// Reads a log line by line, in memory that depends on the processes that live and the calls that are open.
class Reader {
 public:
  /// Refers to the stream, which outlives it.
  explicit Reader(std::istream& in);

  /// The next event; none at the end. Not to be called after bad input.
  std::expected<std::optional<Event>, BadInput> next();

  /// True once the end was met and was not the end of a line. What stood in that line is lost.
  [[nodiscard]] bool cut() const { return !lines_.rest().empty(); }

  /// "pid 4242"; of a process that the log never numbers "the first process".
  [[nodiscard]] std::string name_of(Pid pid) const;

 private:
  struct Pending {
    std::string name;
    std::string text;  ///< What follows the name, so far.
    std::size_t line;
  };
  struct Prefix {
    std::optional<Pid> pid;
    std::string_view rest;
  };

  [[nodiscard]] BadInput bad(std::string what) const;
  static Prefix prefix_of(std::string_view line);
  std::expected<std::optional<Event>, BadInput> read(std::string_view line);
  std::expected<Pid, BadInput> who(const Prefix& prefix);
  Pid who_is(Pid written, std::string_view rest);
  std::expected<Event, BadInput> read_call(Pid pid, std::string_view text);
  std::expected<std::optional<Event>, BadInput> read_resumed(Pid pid, std::string_view text);
  std::expected<std::optional<Event>, BadInput> read_rest(Pid pid, std::string_view text);
  std::expected<Event, BadInput> read_end(Pid pid, std::string_view text);
  std::optional<Event> read_notice(std::string_view text);
  std::expected<Event, BadInput> returned(Pid pid, Pending call, bool begins);
  std::optional<std::string_view> told_so_far(Pid pid, std::string_view text);
  void announce(Pid child);

  LineReader lines_;
  std::map<Pid, Pending> pending_;
  std::set<Pid> living_;
  std::set<Pid> leaving_;           ///< Their last call ends them.
  std::set<Pid> announced_;         ///< Children that were told of, and of whom there is no line yet.
  std::optional<Pid> interrupted_;  ///< A notice of strace cut its line in two.
  std::optional<Pid> first_is_;     ///< The number of the process that the log begins with, once it is told.
};

}  // namespace antiphon::strace
