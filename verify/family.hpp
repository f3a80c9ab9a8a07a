#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/trace.hpp"

/// Who holds what: the processes of a run, their tables of sockets, and the connections behind the names. Every
/// contract reads events through it. It forgets what has ended.

namespace antiphon::verify {

using ConnectionId = std::uint64_t;

/// What a name in a process's table stands for.
struct Held {
  bool listener = false;
  ConnectionId connection = 0;  ///< Of a listener: its own number.

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

struct ConnectionState {
  std::set<ProcessId> holders;
  std::optional<ClientId> client;
  bool input_ended = false;  ///< A Recv answered the client's end.
  bool side_ended = false;   ///< The server ended its side: what it sends after that fails by its own fault.
  bool served = false;       ///< A process other than the one that accepted it held it.
  Excuse excuse = Excuse::none;
  std::int64_t waited_ms = 0;  ///< Excused by a deadline: how long it let the client take.

  /// Excused from what it owes. A deadline excuses only a session that was as patient as the idle limit asks.
  [[nodiscard]] bool excused(std::int64_t idle_ms) const {
    return excuse != Excuse::none && !(excuse == Excuse::deadline && waited_ms < idle_ms);
  }
};

/// An instruction that was issued and not answered when the run came to rest.
struct Waiting {
  AnyExchange<Net> exchange;
};

struct ProcessState {
  std::map<int, Held> table;
  std::optional<ProcessId> parent;
  std::optional<Waiting> waiting;
  bool accepts = false;   ///< It issued Accept: it is an acceptor.
  bool stopping = false;  ///< An instruction of it answered STOPPING.
  bool discards = false;  ///< It issued DiscardChildren.
  /// Its last instruction but Sleep and Close was a Fork that failed: how many children it allowed.
  std::optional<std::int64_t> refuses_above;
};

class Family {
 public:
  Family();

  [[nodiscard]] const ProcessState* process(ProcessId id) const;
  [[nodiscard]] const ConnectionState* connection(ConnectionId id) const;
  [[nodiscard]] const std::map<ProcessId, ProcessState>& processes() const { return processes_; }
  [[nodiscard]] const std::map<ConnectionId, ConnectionState>& connections() const { return connections_; }

  /// What the socket means to the process; none if it holds nothing of that name.
  [[nodiscard]] std::optional<Held> held(ProcessId id, Socket socket) const;

  /// Takes an event in. The process must be born.
  void move(const Event& event);

 private:
  void move(const ProcessEvent& event);
  void move(const ClientEvent& event);
  void accept(ProcessId id, Socket socket);
  void fork(ProcessId id, std::optional<ProcessId> child);
  void release(ProcessId id, Held held);
  void note(ProcessId id, Socket socket, Errno error, std::int64_t waited_ms);

  std::map<ProcessId, ProcessState> processes_;
  std::map<ConnectionId, ConnectionState> connections_;
  ConnectionId next_ = 0;
};

}  // namespace antiphon::verify
