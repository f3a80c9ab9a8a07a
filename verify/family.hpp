#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/trace.hpp"
#include "interpreters/parts.hpp"

/// Who holds what: the processes of a run, their tables of sockets, and the connections behind the names. Every
/// contract reads events through it. It forgets what has ended.

namespace antiphon::verify {

using ConnectionId = std::uint64_t;

/// What a name in a process's table stands for.
struct Held {
  bool listener = false;
  ConnectionId connection = 0;  ///< Of a listener: its own number.

  static constexpr std::tuple fields{Field{"listener", &Held::listener}, Field{"connection", &Held::connection}};
  auto operator<=>(const Held&) const = default;
};

/// Why what a connection owes may stay unpaid. The verdict counts them.
enum class Excuse : std::uint8_t {
  none,
  reset,     ///< The client reset, or the connection failed for good.
  deadline,  ///< The session's own deadline passed.
  drain,     ///< The drain's deadline passed after a stop.
  refused,   ///< No process could be had for it: the client was told at once.
};
inline constexpr std::size_t excuse_kinds = 5;

/// So many failures in a row, each of which would pass by itself, are the connection's own: it failed for good. Until
/// then whoever gives up loses what is owed.
inline constexpr std::uint8_t failures_of_a_lost_connection = 10;

/// What sessions grant their clients: `forever_ms` is no limit.
struct TimeLimits {
  std::int64_t idle_ms = 0;               ///< To send something, or to take some of what is sent.
  std::int64_t progress_ms = forever_ms;  ///< To take all that answers what they sent.
};

struct ConnectionState {
  static constexpr About about = About::record;

  std::optional<ClientId> client;
  bool input_ended = false;  ///< A Recv answered the client's end.
  bool side_ended = false;   ///< The server ended its side: what it sends after that fails by its own fault.
  bool served = false;       ///< A process other than the one that accepted it held it.
  Excuse excuse = Excuse::none;
  std::int64_t waited_ms = 0;        ///< Excused by a deadline: the longest of a Recv, or of a Send without an alarm.
  std::int64_t alarmed_wait_ms = 0;  ///< The same of a Send with an alarm: of several, that for which the shorter of
  std::int64_t alarm_ms = 0;         ///< the two was longest.
  std::uint8_t failures = 0;         ///< In a row, of those that pass by themselves.

  static constexpr std::tuple fields{Field{"client", &ConnectionState::client},
                                     Field{"input_ended", &ConnectionState::input_ended},
                                     Field{"side_ended", &ConnectionState::side_ended},
                                     Field{"served", &ConnectionState::served},
                                     Field{"excuse", &ConnectionState::excuse},
                                     Field{"waited_ms", &ConnectionState::waited_ms},
                                     Field{"alarmed_wait_ms", &ConnectionState::alarmed_wait_ms},
                                     Field{"alarm_ms", &ConnectionState::alarm_ms},
                                     Field{"failures", &ConnectionState::failures}};

  /// Excused from what it owes. A deadline excuses only a session that was as patient as the limits ask, until it has
  /// ended its own side: then any deadline will do. Whether the deadline or the alarm came first is not known, so both
  /// have to be long enough.
  [[nodiscard]] bool excused(const TimeLimits& limits) const {
    const bool patient = (waited_ms > 0 && waited_ms >= limits.idle_ms) ||
                         (alarm_ms > 0 && alarmed_wait_ms >= limits.idle_ms && alarm_ms >= limits.progress_ms);
    return excuse != Excuse::none && (excuse != Excuse::deadline || side_ended || patient);
  }
};

/// The client took too long, by the alarm that its session had set, and the deadline would have let it wait longer.
inline bool is_ended_by_alarm(const Exchange<Send>& send, std::int64_t alarm_ms) {
  return send.response == Result<std::size_t>(failed(Errno::EXPIRED)) && alarm_ms < send.instruction.until.wait_ms;
}

/// Who has a name for a connection.
struct Holders {
  static constexpr About about = About::names;

  std::set<ProcessId> processes;

  static constexpr std::tuple fields{Field{"processes", &Holders::processes}};
};

/// An instruction that was issued and not answered when the run came to rest.
struct Waiting {
  AnyExchange<Net> exchange;
};

/// How many children a Fork allowed, in all and for clients at one address.
struct RefusesAbove {
  std::int64_t children = unlimited;
  std::int64_t alike = unlimited;

  static constexpr std::tuple fields{Field{"children", &RefusesAbove::children}, Field{"alike", &RefusesAbove::alike}};
  bool operator==(const RefusesAbove&) const = default;
};

struct ProcessState {
  static constexpr About about = About::process;

  std::map<int, Held> table;
  std::optional<ProcessId> parent;
  std::optional<Waiting> waiting;
  bool accepts = false;                ///< It issued Accept: it is an acceptor.
  bool stopping = false;               ///< An instruction of it answered STOPPING.
  std::int64_t alarm_ms = forever_ms;  ///< As it was set last.

  /// What the socket means to it; none if it holds nothing of that name.
  [[nodiscard]] std::optional<Held> held(Socket socket) const {
    const auto found = table.find(socket.number);
    return found == table.end() ? std::nullopt : std::optional(found->second);
  }

  /// Its last instruction but Sleep and Close was a Fork that failed: what that allowed.
  std::optional<RefusesAbove> refuses_above;

  static constexpr std::tuple fields{
      Field{"table", &ProcessState::table},       Field{"parent", &ProcessState::parent},
      Field{"accepts", &ProcessState::accepts},   Field{"stopping", &ProcessState::stopping},
      Field{"alarm_ms", &ProcessState::alarm_ms}, Field{"refuses_above", &ProcessState::refuses_above}};
};

/// What the end of a child asks of its parent. It is there as long as somebody should wait for that end.
struct Parenthood {
  static constexpr About about = About::kinship;

  bool discards = false;  ///< It issued DiscardChildren.

  static constexpr std::tuple fields{Field{"discards", &Parenthood::discards}};
};

/// The number that the next listener, or connection, gets.
struct NextNumber {
  static constexpr About about = About::door;

  std::uint64_t number = 0;

  static constexpr std::tuple fields{Field{"number", &NextNumber::number}};
};

class Family {
 public:
  /// Before anything happened: so many first processes, from 0 on.
  explicit Family(std::uint32_t first_processes = 1);

  [[nodiscard]] const ProcessState* process(ProcessId id) const { return processes_.find(id); }
  [[nodiscard]] const ConnectionState* connection(ConnectionId id) const { return connections_.find(id); }
  /// The processes that have a name for the connection.
  [[nodiscard]] const std::set<ProcessId>& holders(ConnectionId id) const;
  [[nodiscard]] const Parenthood* parenthood(ProcessId id) const;
  [[nodiscard]] const Parts<ProcessState>& processes() const { return processes_; }
  [[nodiscard]] const Parts<ConnectionState>& connections() const { return connections_; }

  /// What the socket means to the process; none if it holds nothing of that name.
  [[nodiscard]] std::optional<Held> held(ProcessId id, Socket socket) const;

  /// Takes an event in. The process must be born.
  void move(const Event& event);

  /// Calls `visit(parts)` for each kind of parts.
  template <class Visit>
  void for_each_kind(Visit&& visit) {
    visit(processes_);
    visit(parenthoods_);
    visit(connections_);
    visit(holders_);
    visit(numbers_);
  }

 private:
  void move(const ProcessEvent& event);
  void move(const ClientEvent& event);
  void take(ProcessId id, const Issued& issued);
  /// What the numbers are of.
  enum Numbered : PartKey { listeners, connections_of_all };
  ConnectionId next_number(Numbered what) { return numbers_.edit(what).number++; }
  void accept(ProcessId id, Socket socket);
  void fork(ProcessId id, std::optional<ProcessId> child);
  void release(ProcessId id, Held held);
  void note(ProcessId id, Socket socket, Errno error, const TimeLimits& shown);
  /// Of a Send: the server had ended its side before.
  [[nodiscard]] bool is_own_fault(ProcessId id, Socket to, Errno error) const;
  void note_success(ProcessId id, Socket socket);

  Parts<ProcessState> processes_;
  Parts<Parenthood> parenthoods_;
  Parts<ConnectionState> connections_;
  Parts<Holders> holders_;  ///< Of connections.
  Parts<NextNumber> numbers_;
};

}  // namespace antiphon::verify
