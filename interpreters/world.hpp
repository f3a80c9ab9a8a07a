#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/process.hpp"
#include "core/programs/server.hpp"
#include "core/trace.hpp"
#include "interpreters/parts.hpp"
#include "interpreters/scenario.hpp"

/// The simulated world: a server's processes, an in-memory network, scripted clients, and what can happen next. Who
/// decides what does happen is another matter: see interpreters/simulated.hpp, which runs one scenario, and
/// verify/explorer.hpp, which tries everything.
///
/// The network is TCP at the level of connections: bytes fly, arrive in pieces and wait to be read, in buffers of a
/// bounded size; either side can end its half or reset; a close with unread input resets, and what was flying to the
/// peer is lost; a full backlog drops the request, and the client asks again after 1, 2, 4, … 32 seconds and then gives
/// up.
///
/// Not modelled: a reset that is overtaken by data sent before it (what flies when a reset is sent is lost), urgent
/// data, keep-alive.
///
/// The state is in parts (interpreters/parts.hpp), small enough that a step touches few of them.

namespace antiphon {

using Index = std::uint32_t;
inline constexpr Index no_index = ~Index{0};

namespace world {

/// One direction of a connection.
struct Pipe {
  std::string flying;   ///< Sent, not yet arrived.
  std::string arrived;  ///< Not yet read.
  bool end_flying = false;
  bool ended = false;

  static constexpr std::tuple fields{Field{"flying", &Pipe::flying}, Field{"arrived", &Pipe::arrived},
                                     Field{"end_flying", &Pipe::end_flying}, Field{"ended", &Pipe::ended}};
};

/// One side of a connection.
struct End {
  bool closed = false;        ///< Nobody holds it any more.
  bool shut = false;          ///< Its end of file was sent.
  bool reset_flying = false;  ///< A reset is on its way to this side.
  bool reset = false;         ///< It arrived.
  bool reset_told = false;    ///< An instruction was answered with it.
  Index client = no_index;    ///< The scripted client behind it.

  static constexpr std::tuple fields{Field{"closed", &End::closed},
                                     Field{"shut", &End::shut},
                                     Field{"reset_flying", &End::reset_flying},
                                     Field{"reset", &End::reset},
                                     Field{"reset_told", &End::reset_told},
                                     Field{"client", &End::client}};
};

inline constexpr Index opener = 0;
inline constexpr Index acceptee = 1;

struct Connection {
  static constexpr About about = About::connection;

  std::array<Pipe, 2> pipes;  ///< By the side that sends.
  std::array<End, 2> ends;

  static constexpr std::tuple fields{Field{"pipes", &Connection::pipes}, Field{"ends", &Connection::ends}};
};

/// A connection that waits to be accepted, and the scripted client behind it.
struct Waiting {
  Index connection = no_index;
  Index client = no_index;

  static constexpr std::tuple fields{Field{"connection", &Waiting::connection}, Field{"client", &Waiting::client}};
};

struct Listener {
  static constexpr About about = About::door;

  Endpoint at;
  std::int32_t backlog = -1;  ///< Below 0: bound, not listening.
  std::deque<Waiting> queue;

  static constexpr std::tuple fields{Field{"at", &Listener::at}, Field{"backlog", &Listener::backlog},
                                     Field{"queue", &Listener::queue}};
};

/// What a name in a process's table stands for.
struct Target {
  bool listener = false;
  Index index = no_index;  ///< Of a listener or a connection; none: the name is free.
  Index end = 0;

  static constexpr std::tuple fields{Field{"listener", &Target::listener}, Field{"index", &Target::index},
                                     Field{"end", &Target::end}};
};

using ServerProcess = Process<Net, Result<Unit>, Identified>;

/// A process that has not ended.
struct Inhabitant {
  static constexpr About about = About::process;

  std::optional<ServerProcess> process;
  std::vector<Target> table;
  std::int64_t issued_at_ms = 0;
  std::optional<Errno> fault;             ///< What the pending instruction will be answered with.
  std::int64_t alarm_at_ms = forever_ms;  ///< When that rings.

  void identify(Digest& digest) const {
    add(digest, process->digest().low());
    add(digest, process->digest().high());
    add(digest, table);
    add(digest, issued_at_ms);
    add(digest, fault);
    add(digest, alarm_at_ms);
  }
};

/// What outlives a process: who made it, and whether its own children leave anything behind.
struct Kinship {
  static constexpr About about = About::kinship;

  Index parent = no_index;
  bool ended = false;
  bool discards = false;
  Index origin = no_index;  ///< If it counts by its client's address: which one that is.

  static constexpr std::tuple fields{Field{"parent", &Kinship::parent}, Field{"ended", &Kinship::ended},
                                     Field{"discards", &Kinship::discards}, Field{"origin", &Kinship::origin}};
};

struct Client {
  static constexpr About about = About::client;

  std::uint32_t at = 0;  ///< Place in the script.
  Index connection = no_index;
  std::int64_t wake_at_ms = 0;
  std::int64_t retry_ms = 1000;  ///< How long it waits before it asks for a connection again.
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t awaited = 0;
  std::uint32_t left = 0;        ///< Of the Send it is in.
  std::uint32_t unanswered = 0;  ///< Of a SendAny.
  bool asked = false;
  bool in_action = false;
  bool reading = true;
  bool saw_end = false;
  bool done = false;

  static constexpr std::tuple fields{Field{"at", &Client::at},
                                     Field{"connection", &Client::connection},
                                     Field{"wake_at_ms", &Client::wake_at_ms},
                                     Field{"retry_ms", &Client::retry_ms},
                                     Field{"sent", &Client::sent},
                                     Field{"received", &Client::received},
                                     Field{"awaited", &Client::awaited},
                                     Field{"left", &Client::left},
                                     Field{"unanswered", &Client::unanswered},
                                     Field{"asked", &Client::asked},
                                     Field{"in_action", &Client::in_action},
                                     Field{"reading", &Client::reading},
                                     Field{"saw_end", &Client::saw_end},
                                     Field{"done", &Client::done}};
};

struct Time {
  static constexpr About about = About::time;

  std::int64_t now_ms = 0;
  std::optional<std::int64_t> stopped_at_ms;

  static constexpr std::tuple fields{Field{"now_ms", &Time::now_ms}, Field{"stopped_at_ms", &Time::stopped_at_ms}};
};

/// How many of something were made.
struct Made {
  static constexpr About about = About::door;

  std::uint32_t count = 0;

  static constexpr std::tuple fields{Field{"count", &Made::count}};
};

/// How many names processes have for a side of a connection, or for a listener.
template <About Subject>
struct NamesFor {
  static constexpr About about = Subject;

  std::int32_t count = 0;

  static constexpr std::tuple fields{Field{"count", &NamesFor::count}};
};
using Names = NamesFor<About::names>;
using ListenerNames = NamesFor<About::door>;

}  // namespace world

/// Ways in which a client goes on.
enum Way : Index {
  way_on,      ///< As the script says; where it may send another message, it does.
  way_past,    ///< It sends no more messages.
  way_resets,  ///< It resets its connection. (Not in the script: only who asks for it has it.)
};

/// Something that can happen.
struct Move {
  enum class Kind : std::uint8_t {
    arrival,  ///< What flies to a side of connection `index` arrives, or some of it.
    process,  ///< Process `index` is answered.
    client,   ///< Client `index` goes on with its script, in the `Way` that `end` tells.
    overdue,  ///< Process `index` waited long enough, as `error` says. (Only where time is free.)
    fault,    ///< Process `index` is answered with `error`.
    stop,     ///< The operator asks the server to stop.
  };
  Kind kind = Kind::process;
  Index index = 0;
  Index end = 0;
  Errno error = Errno::INTR;

  bool operator==(const Move&) const = default;
};

/// By how much an amount falls short of what it could be: a number below `count`, which is at least 1.
class Shortfalls {
 public:
  Shortfalls() = default;
  Shortfalls(const Shortfalls&) = delete;
  Shortfalls& operator=(const Shortfalls&) = delete;
  virtual ~Shortfalls() = default;
  virtual std::uint32_t shortfall(std::uint32_t count) = 0;
};

class World {
 public:
  /// The counts that it keeps, by their keys.
  enum Counted : PartKey { processes_made, connections_made, listeners_made, has_listened };

  /// `record` is called with each event, in order. The three must live as long as the world.
  World(const Server& server, const Scenario& scenario, Shortfalls& shortfalls,
        std::function<void(const Event&)> record);

  /// Everything that can happen now, but for faults and stops, which are up to whoever asks.
  void find_moves(std::vector<Move>& moves) const;
  [[nodiscard]] bool can_arrive(Index index, Index end) const;
  [[nodiscard]] bool can_answer(Index index) const;
  [[nodiscard]] bool can_act(Index index) const;
  [[nodiscard]] bool is_connected(Index client) const {
    const world::Client& one = clients_[client];
    return one.connection != no_index && !one.done;
  }
  /// Whether the client may as well send no more messages.
  [[nodiscard]] bool can_pass(Index index) const;
  /// Where time is free: why the process need not wait any longer, EXPIRED or STOPPING or both.
  [[nodiscard]] std::vector<Errno> ways_out(Index process) const;

  void make(const Move& move);

  /// Moves the clock to the next thing that waits for it. False: nothing does.
  bool pass_time();
  [[nodiscard]] bool stopped() const { return clock().stopped_at_ms.has_value(); }

  /// Once nothing more can happen: records the instructions that are never answered.
  void record_pending();

  /// Whether a client with any number of messages could not send one, since too much was unanswered to tell its bytes
  /// apart.
  [[nodiscard]] bool held_back() const { return held_back_; }

  /// How often the program looked at the content of a message.
  [[nodiscard]] std::uint64_t looks() const { return looks_; }

  /// Two worlds of one scenario with the same digest have the same future, once no more faults are to come.
  Digest digest();
  [[nodiscard]] bool faults_to_come() const;
  /// The last of the times at which a deadline or a pause that is under way ends.
  [[nodiscard]] std::int64_t last_due_ms() const;
  [[nodiscard]] std::int64_t now_ms() const { return clock().now_ms; }

  /// Calls `visit(parts)` for each kind of parts.
  template <class Visit>
  void for_each_kind(Visit&& visit) {
    visit(clock_);
    visit(counts_);
    visit(listeners_);
    visit(listener_names_);
    visit(connections_);
    visit(names_);
    visit(processes_);
    visit(kinship_);
    visit(clients_);
  }
  /// How many instructions of the kind of the one that the process is at were issued before it, by all processes.
  [[nodiscard]] std::uint32_t ordinal(Index process) const { return ordinals_[process]; }
  /// What a process's socket stands for; null: it has none of that name.
  static const world::Target* target(const world::Inhabitant& one, Socket socket);
  [[nodiscard]] const Parts<world::Inhabitant>& processes() const { return processes_; }
  [[nodiscard]] const Parts<world::Connection>& connections() const { return connections_; }
  [[nodiscard]] const Parts<world::Client>& clients() const { return clients_; }

 private:
  [[nodiscard]] const world::Time& clock() const { return clock_[0]; }
  [[nodiscard]] Index next(Counted what) { return counts_.edit(what).count++; }
  static std::int64_t after(std::int64_t start_ms, std::int64_t wait_ms);
  [[nodiscard]] bool stopping(std::int64_t drain_ms) const;
  static std::int64_t expiry_ms(const world::Inhabitant& one, const Deadline& until);
  [[nodiscard]] std::int64_t due_ms(const world::Inhabitant& one) const;
  [[nodiscard]] std::optional<Errno> overdue(const world::Inhabitant& one, const Deadline& until) const;

  Result<Socket> name(Index process, const world::Target& what);
  std::int32_t& holders(const world::Target& what);
  static PartKey key_of(Index connection, Index end) { return 2 * PartKey{connection} + end; }
  void release(const world::Target& what);
  static void close_end(world::Connection& connection, Index end);
  static void reset_peer(world::Connection& connection, Index end);
  [[nodiscard]] std::size_t room(const world::Connection& connection, Index end) const;
  [[nodiscard]] bool has_room(const world::Listener& listener) const;
  [[nodiscard]] std::optional<Index> listening(std::optional<std::uint16_t> port = {}) const;
  [[nodiscard]] bool somebody_listens_at(const Endpoint& at) const;
  Index connect(Index listener, Index client);

  void arrive(Index index, Index end);
  void arrive_reset(Index index, Index end);
  void forget_if_over(Index connection);
  void end_script(Index client);

  [[nodiscard]] bool awaits(Index client) const;
  [[nodiscard]] bool can_send_any(const world::Client& client, std::uint32_t count) const;
  void tell(Index client, ClientEvent::Kind kind, Bytes bytes = {}, ProcessId process = 0, Socket socket = {});
  void act(Index index, Index way);
  void let_go(Index index);
  void give_up(Index index);
  static void next_action(world::Client& client);
  void act(Index index, const script::Connect& connect);
  void act(Index index, const script::Send& action);
  void act(Index index, const script::Await& await);
  void act(Index index, const script::EndSide& end);
  void act(Index index, const script::Reset& reset);
  void act(Index index, const script::Pause& pause);
  void act(Index index, const script::StopReading& stop);
  void act(Index index, const script::SendAny& action);
  void send(Index index, std::uint32_t count, bool cyclic);

  void arrive_at_instruction(Index index);
  void end(Index index);
  void record(Index index, std::variant<Issued, Ended> what);
  template <Instruction I>
  void respond(Index index, const I& issued, const typename I::Response& response, std::optional<ProcessId> child = {});
  template <class I>
  [[nodiscard]] bool ready(const world::Inhabitant&, const I&) const {
    return true;  // whatever need not wait
  }
  [[nodiscard]] bool ready(const world::Inhabitant& one, const Accept& accept) const;
  [[nodiscard]] bool ready(const world::Inhabitant& one, const Connect& connect) const;
  [[nodiscard]] bool ready(const world::Inhabitant& one, const Recv& recv) const;
  [[nodiscard]] bool ready(const world::Inhabitant& one, const Send& send) const;
  [[nodiscard]] bool ready(const world::Inhabitant& one, const Sleep& sleep) const;
  void answer(Index index);
  Result<Socket> effect(Index process, const OpenSocket& open);
  Result<Endpoint> effect(Index process, const Listen& listen);
  Result<Socket> effect(Index process, const Accept& accept);
  Result<Socket> effect(Index process, const Connect& wanted);
  Errno fail(Index process, Socket socket);
  Result<world::Target> side_of(Index process, Socket socket, const Deadline& until, Errno of_listener);
  static std::optional<Errno> reset_error(world::Connection& connection, Index end);
  Result<Bytes> effect(Index process, const Recv& recv);
  Result<std::size_t> effect(Index process, const Send& send);
  Result<Unit> effect(Index process, const ShutdownSend& shutdown);
  Result<Unit> effect(Index process, const Close& close);
  Result<Unit> effect(Index process, const DiscardChildren& discard);
  Result<Unit> effect(Index process, const Sleep& sleep);
  Result<Unit> effect(Index process, const Alarm& alarm);
  void fork(Index index, const Fork& instruction);
  [[nodiscard]] Index origin_of(Index process, const Fork& instruction) const;
  [[nodiscard]] bool may_fork(Index index, const Fork& instruction, Index origin) const;

  const Scenario& scenario_;
  Shortfalls& shortfalls_;
  std::function<void(const Event&)> record_;
  Parts<world::Time> clock_;
  Parts<world::Made> counts_;
  Parts<world::Listener> listeners_;
  Parts<world::ListenerNames> listener_names_;
  Parts<world::Connection> connections_;
  Parts<world::Names> names_;  ///< By `key_of`.
  Parts<world::Inhabitant> processes_;
  Parts<world::Kinship> kinship_;
  Parts<world::Client> clients_;
  std::optional<ClientEvent> accepted_;  ///< To be told once the Accept is recorded.
  std::array<std::uint32_t, faulty_instructions.size()> issued_{};
  std::vector<std::uint32_t> ordinals_;  ///< Of each process's instruction: how many of its kind came before it.
  std::vector<std::uint64_t> events_;    ///< Of each process.
  std::optional<Errno> way_out_;         ///< Why the process that is answered waits no longer, where time is free.
  std::uint64_t looks_ = 0;
  mutable bool held_back_ = false;
};

}  // namespace antiphon
