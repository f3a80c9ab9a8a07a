#include "interpreters/simulated.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <deque>
#include <string>
#include <utility>

namespace antiphon {

Chooser::Chooser(const Scenario& scenario) : choices_(&scenario.choices) {
  if (scenario.seed != 0) random_.emplace(scenario.seed);
}

std::optional<std::uint32_t> Chooser::open_choice(std::uint32_t count) {
  if (used_ < choices_->size()) return (*choices_)[used_++] % count;
  return random_ ? std::optional(random_->below(count)) : std::nullopt;
}

std::uint32_t Chooser::which(std::uint32_t count) {
  if (count == 1) return 0;
  const auto chosen = open_choice(count);
  return chosen ? *chosen : turn_++ % count;
}

std::uint32_t Chooser::shortfall(std::uint32_t count) {
  if (count <= 1) return 0;
  return open_choice(count).value_or(0);
}

namespace {

using Index = std::uint32_t;
constexpr Index none = ~Index{0};
constexpr std::int64_t first_retry_ms = 1000;
constexpr std::int64_t last_retry_ms = 32'000;  ///< A client asks seven times, as Linux does (tcp_syn_retries).

/// One direction of a connection.
struct Pipe {
  std::string flying;   ///< Sent, not yet arrived.
  std::string arrived;  ///< Not yet read.
  bool end_flying = false;
  bool ended = false;
};

/// One side of a connection. `holders` counts the names that processes have for it; a client holds its own once.
struct End {
  int holders = 0;
  bool shut = false;          ///< Its end of file was sent.
  bool reset_flying = false;  ///< A reset is on its way to this side.
  bool reset = false;         ///< It arrived.
  bool reset_told = false;    ///< An instruction was answered with it.
  Index client = none;        ///< The scripted client behind it.
};

bool is_address(const std::string& host) {
  std::array<std::byte, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

constexpr Index opener = 0;
constexpr Index acceptee = 1;

struct Connection {
  std::array<Pipe, 2> pipes;  ///< By the side that sends.
  std::array<End, 2> ends;
};

struct Listener {
  Endpoint at;
  int backlog = -1;  ///< Below 0: bound, not listening.
  int holders = 0;
  std::deque<Index> queue;
};

/// What a name in a process's table stands for.
struct Target {
  bool listener = false;
  Index index = none;  ///< Of a listener or a connection; none: the name is free.
  Index end = 0;
};

struct Inhabitant {
  Process<Net, Result<Unit>> process;
  std::vector<Target> table;
  Index parent = none;
  std::uint64_t events = 0;
  std::int64_t issued_at_ms = 0;
  std::optional<Errno> fault;
  bool ended = false;
  bool zombie = false;
  bool discards = false;
};

struct Client {
  std::size_t at = 0;  ///< Place in the script.
  Index connection = none;
  std::int64_t wake_at_ms = 0;
  std::int64_t retry_ms = first_retry_ms;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t awaited = 0;
  std::uint32_t left = 0;  ///< Of the Send it is in.
  bool asked = false;
  bool in_action = false;
  bool reading = true;
  bool saw_end = false;
  bool done = false;
};

struct Move {
  enum class Kind : std::uint8_t { process, client, arrival } kind;
  Index index;
  Index end = 0;
};

class World {
 public:
  World(const Server& server, const Scenario& scenario) : scenario_(scenario), chooser_(scenario) {
    clients_.resize(scenario.clients.size());
    processes_.push_back({Process<Net, Result<Unit>>(server), {}, none, 0, 0, {}, false, false, false});
    arrive_at_instruction(0);
  }

  Run run(std::uint64_t most_steps) {
    while (run_.steps < most_steps) {
      if (scenario_.stop_after && !stopped_at_ms_ && run_.steps >= *scenario_.stop_after) stop();
      find_moves();
      if (moves_.empty() && !pass_time()) {
        if (!scenario_.stop_after || stopped_at_ms_) {
          run_.at_rest = true;
          break;
        }
        stop();
        continue;
      }
      if (moves_.empty()) continue;
      ++run_.steps;
      make(moves_[chooser_.which(static_cast<std::uint32_t>(moves_.size()))]);
    }
    if (run_.at_rest) record_pending();
    return std::move(run_);
  }

 private:
  // -- what can happen ------------------------------------------------------------------------------------------

  void find_moves() {
    moves_.clear();
    for (Index index = 0; index < connections_.size(); ++index) {
      for (const Index end : {opener, acceptee}) {
        if (can_arrive(connections_[index], end)) moves_.push_back({Move::Kind::arrival, index, end});
      }
    }
    for (Index index = 0; index < processes_.size(); ++index) {
      if (!processes_[index].ended && can_answer(index)) moves_.push_back({Move::Kind::process, index});
    }
    for (Index index = 0; index < clients_.size(); ++index) {
      if (can_act(index)) moves_.push_back({Move::Kind::client, index});
    }
  }

  void make(const Move& move) {
    switch (move.kind) {
      case Move::Kind::process:
        return answer(move.index);
      case Move::Kind::client:
        return act(move.index);
      case Move::Kind::arrival:
        return arrive(move.index, move.end);
    }
  }

  /// Moves the clock to the next thing that waits for it. False: nothing does.
  bool pass_time() {
    std::int64_t next = forever_ms;
    for (Index index = 0; index < processes_.size(); ++index) {
      if (!processes_[index].ended) next = std::min(next, due_ms(index));
    }
    for (const Client& client : clients_) {
      if (!client.done && client.wake_at_ms > now_ms_) next = std::min(next, client.wake_at_ms);
    }
    if (next == forever_ms) return false;
    now_ms_ = std::max(now_ms_, next);
    return true;
  }

  void stop() {
    stopped_at_ms_ = now_ms_;
    run_.trace.emplace_back(StopEvent{});
  }

  // -- time -----------------------------------------------------------------------------------------------------

  [[nodiscard]] bool stopping(std::int64_t drain_ms) const {
    return stopped_at_ms_ && now_ms_ - *stopped_at_ms_ >= drain_ms;
  }

  static std::int64_t after(std::int64_t start_ms, std::int64_t wait_ms) {
    return wait_ms >= forever_ms - start_ms ? forever_ms : start_ms + wait_ms;
  }

  [[nodiscard]] std::int64_t due_ms(const Deadline& until, std::int64_t issued_at_ms) const {
    std::int64_t due = after(issued_at_ms, until.wait_ms);
    if (stopped_at_ms_) due = std::min(due, after(*stopped_at_ms_, until.drain_ms));
    return due;
  }

  /// When the pending instruction is answered at the latest.
  [[nodiscard]] std::int64_t due_ms(Index index) const {
    const Inhabitant& one = processes_[index];
    std::int64_t due = forever_ms;
    one.process.pending([&]<class I>(const I& instruction) {
      if constexpr (requires { instruction.until; }) due = due_ms(instruction.until, one.issued_at_ms);
      if constexpr (std::same_as<I, Sleep>) due = after(one.issued_at_ms, instruction.wait_ms);
    });
    return due;
  }

  /// What a waiting instruction answers if its time is over.
  [[nodiscard]] std::optional<Errno> overdue(const Deadline& until, std::int64_t issued_at_ms) const {
    const bool stop_due = stopping(until.drain_ms);
    const bool wait_due = now_ms_ >= after(issued_at_ms, until.wait_ms);
    if (stop_due && wait_due) {
      const bool stop_first = after(*stopped_at_ms_, until.drain_ms) <= after(issued_at_ms, until.wait_ms);
      return stop_first ? Errno::STOPPING : Errno::EXPIRED;
    }
    if (stop_due) return Errno::STOPPING;
    if (wait_due) return Errno::EXPIRED;
    return std::nullopt;
  }

  // -- sockets --------------------------------------------------------------------------------------------------

  Target* target(Inhabitant& one, Socket socket) {
    const auto number = static_cast<std::size_t>(socket.number);
    if (socket.number < 0 || number >= one.table.size() || one.table[number].index == none) return nullptr;
    return &one.table[number];
  }

  Result<Socket> name(Inhabitant& one, const Target& what) {
    const auto free = std::ranges::find(one.table, none, &Target::index);
    const auto number = static_cast<std::size_t>(free - one.table.begin());
    if (number >= scenario_.max_sockets) return failed(Errno::MFILE);
    if (free == one.table.end()) {
      one.table.push_back(what);
    } else {
      *free = what;
    }
    return Socket{static_cast<int>(number)};
  }

  int& holders(const Target& what) {
    return what.listener ? listeners_[what.index].holders : connections_[what.index].ends[what.end].holders;
  }

  void release(Target& what) {
    if (--holders(what) == 0) {
      if (what.listener) {
        for (const Index waiting : listeners_[what.index].queue) reset_peer(connections_[waiting], acceptee);
        listeners_[what.index].queue.clear();
        listeners_[what.index].backlog = -1;
      } else {
        close_end(connections_[what.index], what.end);
      }
    }
    what.index = none;
  }

  /// The last holder let go. Unread input makes it a reset, as in TCP.
  static void close_end(Connection& connection, Index end) {
    if (connection.ends[end].reset) return;
    if (!connection.pipes[1 - end].arrived.empty()) return reset_peer(connection, end);
    connection.pipes[end].end_flying = true;
    connection.ends[end].shut = true;
  }

  /// `end` resets the connection; what it had flying to its peer is lost.
  static void reset_peer(Connection& connection, Index end) {
    connection.pipes[end].flying.clear();
    connection.pipes[end].end_flying = false;
    connection.ends[end].shut = true;
    if (!connection.ends[1 - end].reset) connection.ends[1 - end].reset_flying = true;
  }

  [[nodiscard]] std::size_t room(const Connection& connection, Index end) const {
    const std::size_t held = connection.pipes[end].flying.size() + connection.pipes[end].arrived.size();
    return scenario_.capacity > held ? scenario_.capacity - held : 0;
  }

  [[nodiscard]] bool has_room(const Listener& listener) const {
    const auto limit = std::min<std::int64_t>(std::max(listener.backlog, 0), scenario_.max_backlog);
    return static_cast<std::int64_t>(listener.queue.size()) <= limit;
  }

  /// Who listens at the port. Scripted clients ask for none: they take the first that listens.
  Listener* listening(std::optional<std::uint16_t> port = {}) {
    const auto found = std::ranges::find_if(
        listeners_, [&](const Listener& one) { return one.backlog >= 0 && (!port || one.at.port == *port); });
    return found == listeners_.end() ? nullptr : &*found;
  }

  static bool is_any(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

  [[nodiscard]] bool somebody_listens_at(const Endpoint& at) const {
    return std::ranges::any_of(listeners_, [&](const Listener& one) {
      const bool same_host = one.at.host == at.host || is_any(one.at.host) || is_any(at.host);
      return one.backlog >= 0 && one.at.port == at.port && same_host;
    });
  }

  Index connect(Listener& listener, Index client) {
    const auto index = static_cast<Index>(connections_.size());
    Connection& connection = connections_.emplace_back();
    connection.ends[opener].holders = 1;
    connection.ends[opener].client = client;
    listener.queue.push_back(index);
    return index;
  }

  // -- the network ----------------------------------------------------------------------------------------------

  static bool can_arrive(const Connection& connection, Index end) {
    if (connection.ends[end].reset) return false;
    if (connection.ends[end].reset_flying) return true;
    const Pipe& in = connection.pipes[1 - end];
    return !in.flying.empty() || (in.end_flying && !in.ended);
  }

  /// True while nobody has let go of the side; one that waits to be accepted has no holder yet.
  static bool is_open(const Connection& connection, Index end) {
    return connection.ends[end].holders > 0 || (end == acceptee && !connection.ends[end].shut);
  }

  void arrive(Index index, Index end) {
    Connection& connection = connections_[index];
    End& side = connection.ends[end];
    Pipe& in = connection.pipes[1 - end];
    if (side.reset_flying) return arrive_reset(connection, end);
    if (in.flying.empty()) {
      in.ended = true;
      if (side.client != none && clients_[side.client].reading && is_open(connection, end)) {
        clients_[side.client].saw_end = true;
        tell(side.client, ClientEvent::Kind::received_end);
      }
      return;
    }
    if (!is_open(connection, end)) {  // nobody is there to read it
      in.flying.clear();
      return reset_peer(connection, end);
    }
    const auto size = static_cast<std::uint32_t>(in.flying.size());
    const std::size_t amount = size - chooser_.shortfall(size);
    if (side.client != none && clients_[side.client].reading) {
      clients_[side.client].received += amount;
      tell(side.client, ClientEvent::Kind::received, Bytes::copy_of(std::string_view(in.flying).substr(0, amount)));
    } else {
      in.arrived.append(in.flying, 0, amount);
    }
    in.flying.erase(0, amount);
  }

  void arrive_reset(Connection& connection, Index end) {
    End& side = connection.ends[end];
    side.reset_flying = false;
    side.reset = true;
    connection.pipes[end].flying.clear();
    connection.pipes[end].end_flying = false;
    connection.pipes[1 - end].flying.clear();
    if (side.client != none && side.holders > 0) {
      side.holders = 0;
      clients_[side.client].done = true;
      tell(side.client, ClientEvent::Kind::met_reset);
    }
  }

  // -- clients --------------------------------------------------------------------------------------------------

  void tell(Index client, ClientEvent::Kind kind, Bytes bytes = {}, ProcessId process = 0, Socket socket = {}) {
    run_.trace.emplace_back(ClientEvent{client + 1, kind, std::move(bytes), process, socket});
  }

  /// Whether the client can go on with its script, or let go once the server has ended its side.
  [[nodiscard]] bool can_act(Index index) {
    const Client& client = clients_[index];
    const Script& script = scenario_.clients[index];
    if (client.done || now_ms_ < client.wake_at_ms) return false;
    if (client.at == script.size()) return client.saw_end;
    if (client.connection == none) return listened_ || !std::holds_alternative<script::Connect>(script[client.at]);
    if (const auto* send = std::get_if<script::Send>(&script[client.at])) {
      const bool over = (client.in_action ? client.left : send->count) == 0;
      return over || room(connections_[client.connection], opener) > 0;
    }
    if (const auto* await = std::get_if<script::Await>(&script[client.at])) {
      return client.saw_end || client.received >= client.awaited + await->count;
    }
    return true;
  }

  void act(Index index) {
    Client& client = clients_[index];
    if (client.at == scenario_.clients[index].size()) return let_go(index);
    std::visit([&](const auto& action) { act(index, client, action); }, scenario_.clients[index][client.at]);
  }

  void let_go(Index index) {
    Client& client = clients_[index];
    client.done = true;
    if (client.connection == none) return;
    Connection& connection = connections_[client.connection];
    if (connection.ends[opener].holders == 0) return;
    connection.ends[opener].holders = 0;
    close_end(connection, opener);
    tell(index, ClientEvent::Kind::closed);
  }

  void give_up(Index index) {
    clients_[index].done = true;
    tell(index, ClientEvent::Kind::closed);
  }

  void next_action(Client& client) {
    ++client.at;
    client.in_action = false;
  }

  void act(Index index, Client& client, const script::Connect&) {
    if (client.connection != none) return next_action(client);
    if (!std::exchange(client.asked, true)) tell(index, ClientEvent::Kind::connecting);
    Listener* const listener = listening();
    if (listener == nullptr) {
      client.done = true;
      return tell(index, ClientEvent::Kind::refused);
    }
    if (!has_room(*listener)) {
      tell(index, ClientEvent::Kind::turned_away);
      if (client.retry_ms > last_retry_ms) return give_up(index);
      client.wake_at_ms = now_ms_ + client.retry_ms;
      client.retry_ms *= 2;
      return;
    }
    client.connection = connect(*listener, index);
    tell(index, ClientEvent::Kind::connected);
    next_action(client);
  }

  void act(Index index, Client& client, const script::Send& send) {
    if (client.connection == none) return next_action(client);
    if (!std::exchange(client.in_action, true)) client.left = send.count;
    Connection& connection = connections_[client.connection];
    if (connection.ends[opener].shut || client.left == 0) return next_action(client);
    const std::size_t amount = std::min<std::size_t>(client.left, room(connection, opener));
    std::string bytes(amount, '\0');
    for (char& byte : bytes) byte = payload_byte(index, client.sent++);
    connection.pipes[opener].flying += bytes;
    client.left -= static_cast<std::uint32_t>(amount);
    tell(index, ClientEvent::Kind::sent, Bytes::copy_of(bytes));
    if (client.left == 0) next_action(client);
  }

  void act(Index, Client& client, const script::Await& await) {
    client.awaited += await.count;
    next_action(client);
  }

  void act(Index index, Client& client, const script::EndSide&) {
    if (client.connection != none && !connections_[client.connection].ends[opener].shut) {
      connections_[client.connection].pipes[opener].end_flying = true;
      connections_[client.connection].ends[opener].shut = true;
      tell(index, ClientEvent::Kind::ended_side);
    }
    next_action(client);
  }

  void act(Index index, Client& client, const script::Reset&) {
    if (client.connection != none) {
      connections_[client.connection].ends[opener].holders = 0;
      reset_peer(connections_[client.connection], opener);
      tell(index, ClientEvent::Kind::reset);
    }
    client.done = true;
  }

  void act(Index, Client& client, const script::Pause& pause) {
    client.wake_at_ms = now_ms_ + pause.wait_ms;
    next_action(client);
  }

  void act(Index index, Client& client, const script::StopReading&) {
    client.reading = false;
    tell(index, ClientEvent::Kind::stopped_reading);
    next_action(client);
  }

  // -- processes ------------------------------------------------------------------------------------------------

  /// The process stands at its next instruction, or has ended.
  void arrive_at_instruction(Index index) {
    Inhabitant& one = processes_[index];
    one.issued_at_ms = now_ms_;
    one.fault.reset();
    if (one.process.finished()) return end(index);
    one.process.pending([&]<class I>(const I&) {
      constexpr std::uint32_t place = fault_place(I::name);
      if constexpr (place < faulty_instructions.size()) {
        const std::uint32_t nth = issued_[place]++;
        for (const Fault& fault : scenario_.faults) {
          if (fault.instruction == place && fault.nth == nth) one.fault = fault.error;
        }
      }
    });
  }

  void end(Index index) {
    Inhabitant& one = processes_[index];
    record(index, Ended{one.process.result()});
    one.ended = true;
    for (Target& held : one.table) {
      if (held.index != none) release(held);
    }
    one.zombie = one.parent != none && !processes_[one.parent].ended && !processes_[one.parent].discards;
    for (Inhabitant& other : processes_) {
      if (other.parent == index) other.zombie = false;  // nobody is left to wait for it: the system does
    }
  }

  void record(Index index, std::variant<Issued, Ended> what) {
    run_.trace.emplace_back(ProcessEvent{index, processes_[index].events++, std::move(what)});
  }

  void record_pending() {
    for (Index index = 0; index < processes_.size(); ++index) {
      if (processes_[index].ended) continue;
      processes_[index].process.pending([&]<class I>(const I& instruction) {
        record(index, Issued{Exchange<I>{instruction, std::nullopt}, std::nullopt});
      });
    }
  }

  template <Instruction I>
  void respond(Index index, const I& issued, const typename I::Response& response,
               std::optional<ProcessId> child = {}) {
    record(index, Issued{Exchange<I>{issued, response}, child});
    if (accepted_) run_.trace.emplace_back(*std::exchange(accepted_, std::nullopt));
    const std::uint64_t before = looks();
    processes_[index].process.answer<I>(response);
    run_.looks += looks() - before;
    arrive_at_instruction(index);
  }

  bool can_answer(Index index) {
    Inhabitant& one = processes_[index];
    if (one.fault) return true;
    bool can = false;
    one.process.pending([&](const auto& instruction) { can = ready(one, instruction); });
    return can;
  }

  /// Everything that need not wait.
  template <class I>
  bool ready(Inhabitant&, const I&) {
    return true;
  }

  bool ready(Inhabitant& one, const Accept& accept) {
    const Target* const what = target(one, accept.listener);
    if (what == nullptr || !what->listener || stopped_at_ms_) return true;
    return listeners_[what->index].backlog < 0 || !listeners_[what->index].queue.empty();
  }

  bool ready(Inhabitant& one, const Connect& connect) {
    if (overdue(connect.until, one.issued_at_ms)) return true;
    const Listener* const listener = listening(connect.to.port);
    return listener == nullptr || has_room(*listener);
  }

  bool ready(Inhabitant& one, const Recv& recv) {
    const Target* const what = target(one, recv.from);
    if (what == nullptr || what->listener || overdue(recv.until, one.issued_at_ms)) return true;
    const Connection& connection = connections_[what->index];
    const Pipe& in = connection.pipes[1 - what->end];
    return !in.arrived.empty() || in.ended || connection.ends[what->end].reset;
  }

  bool ready(Inhabitant& one, const Send& send) {
    const Target* const what = target(one, send.to);
    if (what == nullptr || what->listener || overdue(send.until, one.issued_at_ms)) return true;
    const Connection& connection = connections_[what->index];
    return connection.ends[what->end].reset || connection.ends[what->end].shut || send.bytes.empty() ||
           room(connection, what->end) > 0;
  }

  bool ready(Inhabitant& one, const Sleep& sleep) {
    return stopped_at_ms_ || now_ms_ >= after(one.issued_at_ms, sleep.wait_ms);
  }

  void answer(Index index) {
    processes_[index].process.pending([&]<class I>(const I& instruction) {
      if constexpr (std::same_as<I, Fork>) {
        fork(index, instruction);
      } else {
        respond(index, instruction, effect(processes_[index], instruction));
      }
    });
  }

  Result<Socket> effect(Inhabitant& one, const OpenSocket& open) {
    if (one.fault) return failed(*one.fault);
    if (!is_address(open.at.host)) return failed(Errno::INVAL);
    if (open.at.port != 0 && somebody_listens_at(open.at)) return failed(Errno::ADDRINUSE);
    const auto named = name(one, {true, static_cast<Index>(listeners_.size()), 0});
    if (named) {
      const auto port = open.at.port != 0 ? open.at.port : static_cast<std::uint16_t>(49152 + listeners_.size());
      listeners_.push_back({{open.at.host, port}, -1, 1, {}});
    }
    return named;
  }

  Result<Endpoint> effect(Inhabitant& one, const Listen& listen) {
    if (one.fault) return failed(*one.fault);
    const Target* const what = target(one, listen.listener);
    if (what == nullptr) return failed(Errno::BADF);
    if (!what->listener) return failed(Errno::INVAL);
    Listener& listener = listeners_[what->index];
    if (listener.backlog < 0 && somebody_listens_at(listener.at)) return failed(Errno::ADDRINUSE);
    listener.backlog = std::max(listen.backlog, 0);
    listened_ = true;
    return listener.at;
  }

  Result<Socket> effect(Inhabitant& one, const Accept& accept) {
    if (one.fault) return failed(*one.fault);
    const Target* const what = target(one, accept.listener);
    if (what == nullptr) return failed(Errno::BADF);
    if (stopped_at_ms_) return failed(Errno::STOPPING);
    if (!what->listener || listeners_[what->index].backlog < 0) return failed(Errno::INVAL);
    std::deque<Index>& queue = listeners_[what->index].queue;
    const Index connection = queue.front();
    const auto named = name(one, {false, connection, acceptee});
    if (!named) return named;
    queue.pop_front();
    connections_[connection].ends[acceptee].holders = 1;
    if (const Index client = connections_[connection].ends[opener].client; client != none) {
      accepted_ = {
          client + 1, ClientEvent::Kind::accepted, {}, static_cast<ProcessId>(&one - processes_.data()), *named};
    }
    return named;
  }

  Result<Socket> effect(Inhabitant& one, const Connect& wanted) {
    if (one.fault) return failed(*one.fault);
    if (const auto over = overdue(wanted.until, one.issued_at_ms)) return failed(*over);
    if (!is_address(wanted.to.host)) return failed(Errno::INVAL);
    Listener* const listener = listening(wanted.to.port);
    if (listener == nullptr) return failed(Errno::CONNREFUSED);
    const auto named = name(one, {false, static_cast<Index>(connections_.size()), opener});
    if (named) connect(*listener, none);
    return named;
  }

  /// A failure that is the connection's own: the peer meets a reset.
  Errno fail(Inhabitant& one, Socket socket) {
    const Target* const what = target(one, socket);
    const Errno error = *one.fault;
    const bool transient = error == Errno::INTR || passes_by_itself(error);
    if (what != nullptr && !what->listener && !transient) {
      Connection& connection = connections_[what->index];
      connection.ends[what->end].reset = connection.ends[what->end].reset_told = true;
      reset_peer(connection, what->end);
    }
    return error;
  }

  /// ECONNRESET, which a reset leaves behind; told once, then forgotten. Not after the peer had ended its side: then
  /// Recv answers that end and Send EPIPE, as in Linux.
  static std::optional<Errno> reset_error(Connection& connection, Index end) {
    End& side = connection.ends[end];
    if (!side.reset || connection.pipes[1 - end].ended || std::exchange(side.reset_told, true)) return std::nullopt;
    return Errno::CONNRESET;
  }

  Result<Bytes> effect(Inhabitant& one, const Recv& recv) {
    if (one.fault) return failed(fail(one, recv.from));
    const Target* const what = target(one, recv.from);
    if (what == nullptr) return failed(Errno::BADF);
    if (stopping(recv.until.drain_ms)) return failed(Errno::STOPPING);
    if (what->listener) return failed(Errno::NOTCONN);
    Connection& connection = connections_[what->index];
    Pipe& in = connection.pipes[1 - what->end];
    if (in.arrived.empty()) {
      if (const auto error = reset_error(connection, what->end)) return failed(*error);
      if (in.ended || connection.ends[what->end].reset) return Bytes();
      return failed(*overdue(recv.until, one.issued_at_ms));
    }
    const auto most = static_cast<std::uint32_t>(std::min(recv.at_most, in.arrived.size()));
    const std::size_t amount = most - (scenario_.short_io ? chooser_.shortfall(most) : 0);
    Buffer* const buffer = Buffer::make(amount);
    buffer->marked = true;
    std::memcpy(buffer->data, in.arrived.data(), amount);
    in.arrived.erase(0, amount);
    return Bytes(buffer, amount);
  }

  Result<std::size_t> effect(Inhabitant& one, const Send& send) {
    if (one.fault) return failed(fail(one, send.to));
    const Target* const what = target(one, send.to);
    if (what == nullptr) return failed(Errno::BADF);
    if (stopping(send.until.drain_ms)) return failed(Errno::STOPPING);
    if (what->listener) return failed(Errno::PIPE);
    Connection& connection = connections_[what->index];
    if (const auto error = reset_error(connection, what->end)) return failed(*error);
    if (connection.ends[what->end].reset || connection.ends[what->end].shut) return failed(Errno::PIPE);
    if (send.bytes.empty()) return std::size_t{0};
    const std::size_t space = room(connection, what->end);
    if (space == 0) return failed(*overdue(send.until, one.issued_at_ms));
    const auto most = static_cast<std::uint32_t>(std::min(space, send.bytes.size()));
    const std::size_t amount = most - (scenario_.short_io ? chooser_.shortfall(most) : 0);
    connection.pipes[what->end].flying += send.bytes.take(amount).content();
    return amount;
  }

  Result<Unit> effect(Inhabitant& one, const ShutdownSend& shutdown) {
    if (one.fault) return failed(fail(one, shutdown.socket));
    const Target* const what = target(one, shutdown.socket);
    if (what == nullptr) return failed(Errno::BADF);
    if (what->listener) {
      // It has no side to end. Linux says so only while it does not listen.
      if (listeners_[what->index].backlog < 0) return failed(Errno::NOTCONN);
      return Unit{};
    }
    Connection& connection = connections_[what->index];
    const bool over = connection.pipes[opener].ended && connection.pipes[acceptee].ended;
    if (connection.ends[what->end].reset || over) return failed(Errno::NOTCONN);
    connection.pipes[what->end].end_flying = true;
    connection.ends[what->end].shut = true;
    return Unit{};
  }

  Result<Unit> effect(Inhabitant& one, const Close& close) {
    Target* const what = target(one, close.socket);
    if (what == nullptr) return failed(Errno::BADF);
    release(*what);  // whatever the answer is
    if (one.fault) return failed(*one.fault);
    return Unit{};
  }

  Result<Unit> effect(Inhabitant& one, const DiscardChildren&) {
    if (one.fault) return failed(*one.fault);
    one.discards = true;
    for (Inhabitant& other : processes_) {
      if (other.parent == static_cast<Index>(&one - processes_.data())) other.zombie = false;
    }
    return Unit{};
  }

  Result<Unit> effect(Inhabitant& one, const Sleep&) {
    if (one.fault) return failed(*one.fault);
    if (stopped_at_ms_) return failed(Errno::STOPPING);
    return Unit{};
  }

  void fork(Index index, const Fork& instruction) {
    const auto there = [](const Inhabitant& one) { return !one.ended || one.zombie; };
    const auto own = [&](const Inhabitant& one) { return one.parent == index && there(one); };
    if (processes_[index].fault) return respond(index, instruction, failed(*processes_[index].fault));
    if (std::ranges::count_if(processes_, there) >= scenario_.max_processes ||
        std::ranges::count_if(processes_, own) >= instruction.at_most) {
      return respond(index, instruction, failed(Errno::AGAIN));
    }
    const auto child = static_cast<Index>(processes_.size());
    const Fork issued = instruction;
    processes_.push_back(
        {processes_[index].process, processes_[index].table, index, 0, now_ms_, {}, false, false, false});
    for (const Target& held : processes_[child].table) {
      if (held.index != none) ++holders(held);
    }
    respond(index, issued, Forked(Parent{Pid{static_cast<std::int64_t>(child) + 1}}), child);
    respond(child, issued, Forked(Child{}));
  }

  const Scenario& scenario_;
  Chooser chooser_;
  Run run_;
  std::int64_t now_ms_ = 0;
  std::optional<std::int64_t> stopped_at_ms_;
  bool listened_ = false;  ///< Clients come once somebody listens.
  std::vector<Listener> listeners_;
  std::vector<Connection> connections_;
  std::vector<Inhabitant> processes_;
  std::vector<Client> clients_;
  std::vector<Move> moves_;
  std::optional<ClientEvent> accepted_;  ///< To be told once the Accept is recorded.
  std::array<std::uint32_t, faulty_instructions.size()> issued_{};
};

}  // namespace

Run simulate(const Server& server, const Scenario& scenario, std::uint64_t most_steps) {
  return World(server, scenario).run(most_steps);
}

}  // namespace antiphon
