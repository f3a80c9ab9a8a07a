#include "interpreters/world.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>

namespace antiphon {

using namespace world;

namespace {

constexpr std::int64_t last_retry_ms = 32'000;  ///< A client asks seven times, as Linux does (tcp_syn_retries).

bool is_address(const std::string& host) {
  std::array<std::byte, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

bool is_any(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

std::int64_t after(std::int64_t start_ms, std::int64_t wait_ms) {
  return wait_ms >= forever_ms - start_ms ? forever_ms : start_ms + wait_ms;
}

}  // namespace

World::World(const Server& server, const Scenario& scenario, Shortfalls& shortfalls,
             std::function<void(const Event&)> record)
    : scenario_(scenario), shortfalls_(shortfalls), record_(std::move(record)) {
  clock_.put(0, Time{});
  for (Index index = 0; index < scenario.clients.size(); ++index) clients_.put(index, Client{});
  const Index first = next(processes_made);
  processes_.put(first, Inhabitant{ServerProcess(server), {}, 0, {}});
  kinship_.put(first, Kinship{});
  arrive_at_instruction(first);
}

// -- what can happen --------------------------------------------------------------------------------------------------

void World::find_moves(std::vector<Move>& moves) const {
  moves.clear();
  connections_.for_each([&](PartKey key, const Connection&) {
    const auto index = static_cast<Index>(key);
    for (const Index end : {opener, acceptee}) {
      if (can_arrive(index, end)) moves.push_back({Move::Kind::arrival, index, end});
    }
  });
  processes_.for_each([&](PartKey key, const Inhabitant&) {
    const auto index = static_cast<Index>(key);
    if (can_answer(index)) moves.push_back({Move::Kind::process, index});
  });
  clients_.for_each([&](PartKey key, const Client&) {
    const auto index = static_cast<Index>(key);
    if (can_act(index)) moves.push_back({Move::Kind::client, index, way_on});
    if (can_pass(index)) moves.push_back({Move::Kind::client, index, way_past});
  });
  if (!scenario_.free_time) return;
  processes_.for_each([&](PartKey key, const Inhabitant&) {
    const auto index = static_cast<Index>(key);
    for (const Errno way : ways_out(index)) moves.push_back({Move::Kind::overdue, index, 0, way});
  });
}

void World::make(const Move& move) {
  switch (move.kind) {
    case Move::Kind::arrival:
      return arrive(move.index, move.end);
    case Move::Kind::process:
      return answer(move.index);
    case Move::Kind::client:
      return act(move.index, move.end);
    case Move::Kind::overdue:
      way_out_ = move.error;
      answer(move.index);
      way_out_.reset();
      return;
    case Move::Kind::fault:
      processes_.edit(move.index).fault = move.error;
      return answer(move.index);
    case Move::Kind::stop:
      clock_.edit(0).stopped_at_ms = now_ms();
      return record_(StopEvent{});
  }
}

bool World::pass_time() {
  std::int64_t next = forever_ms;
  processes_.for_each([&](PartKey, const Inhabitant& one) { next = std::min(next, due_ms(one)); });
  clients_.for_each([&](PartKey, const Client& client) {
    if (!client.done && client.wake_at_ms > now_ms()) next = std::min(next, client.wake_at_ms);
  });
  if (next == forever_ms) return false;
  Time& clock = clock_.edit(0);
  clock.now_ms = std::max(clock.now_ms, next);
  return true;
}

// -- time -------------------------------------------------------------------------------------------------------------

bool World::stopping(std::int64_t drain_ms) const {
  const Time& clock = this->clock();
  return clock.stopped_at_ms && (way_out_ == Errno::STOPPING || clock.now_ms - *clock.stopped_at_ms >= drain_ms);
}

std::int64_t World::due_ms(const Deadline& until, std::int64_t issued_at_ms) const {
  std::int64_t due = after(issued_at_ms, until.wait_ms);
  if (const auto stopped = clock().stopped_at_ms) due = std::min(due, after(*stopped, until.drain_ms));
  return due;
}

/// When the pending instruction is answered at the latest.
std::int64_t World::due_ms(const Inhabitant& one) const {
  std::int64_t due = forever_ms;
  one.process->pending([&]<class I>(const I& instruction) {
    if constexpr (requires { instruction.until; }) due = due_ms(instruction.until, one.issued_at_ms);
    if constexpr (std::same_as<I, Sleep>) due = after(one.issued_at_ms, instruction.wait_ms);
  });
  return due;
}

/// What a waiting instruction answers if its time is over.
std::optional<Errno> World::overdue(const Deadline& until, std::int64_t issued_at_ms) const {
  const bool stop_due = stopping(until.drain_ms);
  if (scenario_.free_time) return stop_due ? Errno::STOPPING : way_out_;
  const bool wait_due = now_ms() >= after(issued_at_ms, until.wait_ms);
  if (stop_due && wait_due) {
    const bool stop_first = after(*clock().stopped_at_ms, until.drain_ms) <= after(issued_at_ms, until.wait_ms);
    return stop_first ? Errno::STOPPING : Errno::EXPIRED;
  }
  if (stop_due) return Errno::STOPPING;
  if (wait_due) return Errno::EXPIRED;
  return std::nullopt;
}

std::vector<Errno> World::ways_out(Index process) const {
  std::vector<Errno> ways;
  if (can_answer(process)) return ways;
  processes_[process].process->pending([&]<class I>(const I& instruction) {
    if constexpr (requires { instruction.until; }) {
      if (instruction.until.wait_ms != forever_ms) ways.push_back(Errno::EXPIRED);
      if (instruction.until.drain_ms != forever_ms && stopped()) ways.push_back(Errno::STOPPING);
    }
    if constexpr (std::same_as<I, Sleep>) {
      if (instruction.wait_ms != forever_ms) ways.push_back(Errno::EXPIRED);
    }
  });
  return ways;
}

// -- sockets ----------------------------------------------------------------------------------------------------------

const Target* World::target(const Inhabitant& one, Socket socket) {
  const auto number = static_cast<std::size_t>(socket.number);
  if (socket.number < 0 || number >= one.table.size() || one.table[number].index == no_index) return nullptr;
  return &one.table[number];
}

Result<Socket> World::name(Index process, const Target& what) {
  std::vector<Target>& table = processes_.edit(process).table;
  const auto free = std::ranges::find(table, no_index, &Target::index);
  const auto number = static_cast<std::size_t>(free - table.begin());
  if (number >= scenario_.max_sockets) return failed(Errno::MFILE);
  if (free == table.end()) {
    table.push_back(what);
  } else {
    *free = what;
  }
  return Socket{static_cast<int>(number)};
}

std::int32_t& World::holders(const Target& what) {
  return what.listener ? listener_names_.edit(what.index).count : names_.edit(side_of(what.index, what.end)).count;
}

void World::release(const Target& what) {
  if (--holders(what) > 0) return;
  if (!what.listener) {
    names_.erase(side_of(what.index, what.end));
    close_end(connections_.edit(what.index), what.end);
    return forget_if_over(what.index);
  }
  listener_names_.erase(what.index);
  Listener& listener = listeners_.edit(what.index);
  for (const Waiting& waiting : listener.queue) {
    Connection& connection = connections_.edit(waiting.connection);
    connection.ends[acceptee].closed = true;
    reset_peer(connection, acceptee);
  }
  listener.queue.clear();
  listener.backlog = -1;
}

/// The last holder let go. Unread input makes it a reset, as in TCP.
void World::close_end(Connection& connection, Index end) {
  connection.ends[end].closed = true;
  if (connection.ends[end].reset) return;
  if (!connection.pipes[1 - end].arrived.empty()) return reset_peer(connection, end);
  connection.pipes[end].end_flying = true;
  connection.ends[end].shut = true;
}

/// `end` resets the connection; what it had flying to its peer is lost.
void World::reset_peer(Connection& connection, Index end) {
  connection.pipes[end].flying.clear();
  connection.pipes[end].end_flying = false;
  connection.ends[end].shut = true;
  if (!connection.ends[1 - end].reset) connection.ends[1 - end].reset_flying = true;
}

std::size_t World::room(const Connection& connection, Index end) const {
  const std::size_t held = connection.pipes[end].flying.size() + connection.pipes[end].arrived.size();
  return scenario_.capacity > held ? scenario_.capacity - held : 0;
}

bool World::has_room(const Listener& listener) const {
  const auto limit = std::min<std::int64_t>(std::max(listener.backlog, 0), scenario_.max_backlog);
  return static_cast<std::int64_t>(listener.queue.size()) <= limit;
}

/// Who listens at the port. Scripted clients ask for none: they take the first that listens.
std::optional<Index> World::listening(std::optional<std::uint16_t> port) const {
  std::optional<Index> found;
  listeners_.for_each([&](PartKey key, const Listener& one) {
    if (!found && one.backlog >= 0 && (!port || one.at.port == *port)) found = static_cast<Index>(key);
  });
  return found;
}

bool World::somebody_listens_at(const Endpoint& at) const {
  bool found = false;
  listeners_.for_each([&](PartKey, const Listener& one) {
    const bool same_host = one.at.host == at.host || is_any(one.at.host) || is_any(at.host);
    found |= one.backlog >= 0 && one.at.port == at.port && same_host;
  });
  return found;
}

Index World::connect(Index listener, Index client) {
  const Index index = next(connections_made);
  Connection connection;
  connection.ends[opener].client = client;
  connections_.put(index, std::move(connection));
  listeners_.edit(listener).queue.push_back({index, client});
  return index;
}

// -- the network ------------------------------------------------------------------------------------------------------

bool World::can_arrive(Index index, Index end) const {
  const Connection* const connection = connections_.find(index);
  if (connection == nullptr || connection->ends[end].reset) return false;
  if (connection->ends[end].reset_flying) return true;
  const Pipe& in = connection->pipes[1 - end];
  return !in.flying.empty() || (in.end_flying && !in.ended);
}

void World::arrive(Index index, Index end) {
  Connection& connection = connections_.edit(index);
  const End& side = connection.ends[end];
  Pipe& in = connection.pipes[1 - end];
  if (side.reset_flying) return arrive_reset(index, end);
  const bool read_by_client = side.client != no_index && clients_[side.client].reading;
  if (in.flying.empty()) {
    in.ended = true;
    if (read_by_client && !side.closed) {
      clients_.edit(side.client).saw_end = true;
      tell(side.client, ClientEvent::Kind::received_end);
    }
    return;
  }
  if (side.closed) {  // nobody is there to read it
    in.flying.clear();
    return reset_peer(connection, end);
  }
  const auto size = static_cast<std::uint32_t>(in.flying.size());
  const std::size_t amount = size - shortfalls_.shortfall(size);
  if (read_by_client) {
    if (awaits(side.client)) clients_.edit(side.client).received += amount;
    if (const std::uint32_t unanswered = clients_[side.client].unanswered; unanswered > 0) {
      clients_.edit(side.client).unanswered -= static_cast<std::uint32_t>(std::min<std::size_t>(unanswered, amount));
    }
    tell(side.client, ClientEvent::Kind::received, Bytes::copy_of(std::string_view(in.flying).substr(0, amount)));
  } else {
    in.arrived.append(in.flying, 0, amount);
  }
  in.flying.erase(0, amount);
}

void World::arrive_reset(Index index, Index end) {
  Connection& connection = connections_.edit(index);
  End& side = connection.ends[end];
  side.reset_flying = false;
  side.reset = true;
  connection.pipes[end].flying.clear();
  connection.pipes[end].end_flying = false;
  connection.pipes[1 - end].flying.clear();
  if (side.client != no_index && !side.closed) {
    side.closed = true;
    end_script(side.client);
    tell(side.client, ClientEvent::Kind::met_reset);
    forget_if_over(index);
  }
}

/// A connection that both sides have let go of: what is still under way on it matters to nobody. (Where time passes, it
/// still takes its time.)
void World::forget_if_over(Index connection) {
  if (!scenario_.free_time) return;
  const Connection& there = connections_[connection];
  if (there.ends[opener].closed && there.ends[acceptee].closed) connections_.erase(connection);
}

/// The client does nothing any more.
void World::end_script(Index client) {
  Client& one = clients_.edit(client);
  if (scenario_.free_time) one = Client{.at = one.at, .connection = one.connection};
  one.done = true;
}

// -- clients ----------------------------------------------------------------------------------------------------------

void World::tell(Index client, ClientEvent::Kind kind, Bytes bytes, ProcessId process, Socket socket) {
  record_(ClientEvent{client + 1, kind, std::move(bytes), process, socket});
}

/// Whether it matters to the client how much it has received.
bool World::awaits(Index client) const {
  return std::ranges::any_of(scenario_.clients[client],
                             [](const auto& action) { return std::holds_alternative<script::Await>(action); });
}

/// Whether the client can go on with its script, or let go once the server has ended its side.
bool World::can_act(Index index) const {
  const Client& client = clients_[index];
  const Script& script = scenario_.clients[index];
  if (client.done || now_ms() < client.wake_at_ms) return false;
  if (client.at == script.size()) return client.saw_end;
  if (client.connection == no_index && std::holds_alternative<script::Connect>(script[client.at])) {
    if (!counts_.contains(has_listened)) return false;  // clients come once somebody listens
    if (!scenario_.free_time || !client.asked) return true;
    // Who was turned away asks again when it is worth it.
    const auto listener = listening();
    return !listener || has_room(listeners_[*listener]);
  }
  if (const auto* send = std::get_if<script::Send>(&script[client.at]);
      send != nullptr && client.connection != no_index) {
    const bool over = (client.in_action ? client.left : send->count) == 0;
    return over || room(connections_[client.connection], opener) > 0;
  }
  if (const auto* any = std::get_if<script::SendAny>(&script[client.at]);
      any != nullptr && client.connection != no_index) {
    return can_send_any(client, any->count);
  }
  if (const auto* await = std::get_if<script::Await>(&script[client.at]);
      await != nullptr && client.connection != no_index) {
    return client.saw_end || client.received >= client.awaited + await->count;
  }
  return true;
}

/// There is room, and its bytes can be told apart from those that are unanswered.
bool World::can_send_any(const Client& client, std::uint32_t count) const {
  const Connection& connection = connections_[client.connection];
  if (connection.ends[opener].shut || room(connection, opener) == 0) return false;
  const bool apart = client.in_action || client.unanswered + count < script::any_period;
  held_back_ |= !apart;
  return apart;
}

/// It stands before messages of which it may send any number.
bool World::can_pass(Index index) const {
  const Client& client = clients_[index];
  const Script& script = scenario_.clients[index];
  return !client.done && !client.in_action && client.at < script.size() && client.connection != no_index &&
         std::holds_alternative<script::SendAny>(script[client.at]);
}

void World::act(Index index, Index way) {
  const Script& script = scenario_.clients[index];
  const std::uint32_t at = clients_[index].at;
  if (way == way_resets) return act(index, script::Reset{});
  if (way == way_past) return next_action(clients_.edit(index));
  if (at == script.size()) return let_go(index);
  std::visit([&](const auto& action) { act(index, action); }, script[at]);
}

void World::let_go(Index index) {
  const Index connection = clients_[index].connection;
  end_script(index);
  if (connection == no_index || connections_[connection].ends[opener].closed) return;
  close_end(connections_.edit(connection), opener);
  tell(index, ClientEvent::Kind::closed);
  forget_if_over(connection);
}

void World::give_up(Index index) {
  end_script(index);
  tell(index, ClientEvent::Kind::closed);
}

void World::next_action(Client& client) {
  ++client.at;
  client.in_action = false;
}

void World::act(Index index, const script::Connect&) {
  Client& client = clients_.edit(index);
  if (client.connection != no_index) return next_action(client);
  if (!std::exchange(client.asked, true)) tell(index, ClientEvent::Kind::connecting);
  const auto listener = listening();
  if (!listener) {
    end_script(index);
    return tell(index, ClientEvent::Kind::refused);
  }
  if (!has_room(listeners_[*listener])) {
    tell(index, ClientEvent::Kind::turned_away);
    if (scenario_.free_time) return;
    if (client.retry_ms > last_retry_ms) return give_up(index);
    client.wake_at_ms = now_ms() + client.retry_ms;
    client.retry_ms *= 2;
    return;
  }
  client.connection = connect(*listener, index);
  tell(index, ClientEvent::Kind::connected);
  next_action(client);
}

void World::act(Index index, const script::Send& action) { send(index, action.count, false); }

/// A message, or as much of it as there is room for; after the last of it the next action is due.
void World::send(Index index, std::uint32_t count, bool cyclic) {
  Client& client = clients_.edit(index);
  if (client.connection == no_index) return next_action(client);
  if (!std::exchange(client.in_action, true)) client.left = count;
  Connection& connection = connections_.edit(client.connection);
  if (connection.ends[opener].shut || client.left == 0) return next_action(client);
  const std::size_t amount = std::min<std::size_t>(client.left, room(connection, opener));
  std::string bytes(amount, '\0');
  for (char& byte : bytes) {
    byte = cyclic ? cyclic_byte(index, client.sent) : payload_byte(index, client.sent);
    ++client.sent;
  }
  if (cyclic) {
    client.sent %= script::any_period;
    client.unanswered += static_cast<std::uint32_t>(amount);
  }
  connection.pipes[opener].flying += bytes;
  client.left -= static_cast<std::uint32_t>(amount);
  tell(index, ClientEvent::Kind::sent, Bytes::copy_of(bytes));
  if (client.left == 0) next_action(client);
}

void World::act(Index index, const script::Await& await) {
  Client& client = clients_.edit(index);
  client.awaited += await.count;
  next_action(client);
}

void World::act(Index index, const script::EndSide&) {
  Client& client = clients_.edit(index);
  if (client.connection != no_index && !connections_[client.connection].ends[opener].shut) {
    Connection& connection = connections_.edit(client.connection);
    connection.pipes[opener].end_flying = true;
    connection.ends[opener].shut = true;
    tell(index, ClientEvent::Kind::ended_side);
  }
  next_action(client);
}

void World::act(Index index, const script::Reset&) {
  const Index connection = clients_[index].connection;
  end_script(index);
  if (connection == no_index) return;
  connections_.edit(connection).ends[opener].closed = true;
  reset_peer(connections_.edit(connection), opener);
  tell(index, ClientEvent::Kind::reset);
  forget_if_over(connection);
}

void World::act(Index index, const script::Pause& pause) {
  Client& client = clients_.edit(index);
  if (!scenario_.free_time) client.wake_at_ms = now_ms() + pause.wait_ms;
  next_action(client);
}

void World::act(Index index, const script::SendAny& action) {
  const std::uint32_t at = clients_[index].at;
  send(index, action.count, true);
  Client& client = clients_.edit(index);
  if (client.at == at || client.connection == no_index || connections_[client.connection].ends[opener].shut) return;
  client.at = at;  // another one, or on: that is chosen then
}

void World::act(Index index, const script::StopReading&) {
  Client& client = clients_.edit(index);
  client.reading = false;
  tell(index, ClientEvent::Kind::stopped_reading);
  next_action(client);
}

// -- processes --------------------------------------------------------------------------------------------------------

/// The process stands at its next instruction, or has ended.
void World::arrive_at_instruction(Index index) {
  Inhabitant& one = processes_.edit(index);
  one.issued_at_ms = now_ms();
  one.fault.reset();
  if (one.process->finished()) return end(index);
  if (ordinals_.size() <= index) ordinals_.resize(std::size_t{index} + 1);
  one.process->pending([&]<class I>(const I&) {
    constexpr std::uint32_t place = fault_place(I::name);
    if constexpr (place < faulty_instructions.size()) {
      const std::uint32_t nth = ordinals_[index] = issued_[place]++;
      for (const Fault& fault : scenario_.faults) {
        if (fault.instruction == place && fault.nth == nth) one.fault = fault.error;
      }
    }
  });
}

void World::end(Index index) {
  record(index, Ended{processes_[index].process->result()});
  const std::vector<Target> table = processes_[index].table;
  for (const Target& held : table) {
    if (held.index != no_index) release(held);
  }
  processes_.erase(index);
  const Index parent = kinship_[index].parent;
  const Kinship* const waiting = parent == no_index ? nullptr : kinship_.find(parent);
  if (waiting != nullptr && !waiting->ended && !waiting->discards) {
    kinship_.edit(index).ended = true;
  } else {
    kinship_.erase(index);
  }
}

void World::record(Index index, std::variant<Issued, Ended> what) {
  if (events_.size() <= index) events_.resize(index + 1);
  record_(ProcessEvent{index, events_[index]++, std::move(what)});
}

void World::record_pending() {
  processes_.for_each([&](PartKey key, const Inhabitant& one) {
    one.process->pending([&]<class I>(const I& instruction) {
      record(static_cast<Index>(key), Issued{Exchange<I>{instruction, std::nullopt}, std::nullopt});
    });
  });
}

template <Instruction I>
void World::respond(Index index, const I& issued, const typename I::Response& response,
                    std::optional<ProcessId> child) {
  record(index, Issued{Exchange<I>{issued, response}, child});
  if (accepted_) record_(*std::exchange(accepted_, std::nullopt));
  const std::uint64_t before = antiphon::looks();
  processes_.edit(index).process->answer<I>(response);
  looks_ += antiphon::looks() - before;
  arrive_at_instruction(index);
}

bool World::can_answer(Index index) const {
  const Inhabitant& one = processes_[index];
  if (one.fault) return true;
  bool can = false;
  one.process->pending([&](const auto& instruction) { can = ready(one, instruction); });
  return can;
}

bool World::ready(const Inhabitant& one, const Accept& accept) const {
  const Target* const what = target(one, accept.listener);
  if (what == nullptr || !what->listener || stopped()) return true;
  const Listener& listener = listeners_[what->index];
  return listener.backlog < 0 || !listener.queue.empty();
}

bool World::ready(const Inhabitant& one, const Connect& connect) const {
  if (overdue(connect.until, one.issued_at_ms)) return true;
  const auto listener = listening(connect.to.port);
  return !listener || has_room(listeners_[*listener]);
}

bool World::ready(const Inhabitant& one, const Recv& recv) const {
  const Target* const what = target(one, recv.from);
  if (what == nullptr || what->listener || overdue(recv.until, one.issued_at_ms)) return true;
  const Connection& connection = connections_[what->index];
  const Pipe& in = connection.pipes[1 - what->end];
  return !in.arrived.empty() || in.ended || connection.ends[what->end].reset;
}

bool World::ready(const Inhabitant& one, const Send& send) const {
  const Target* const what = target(one, send.to);
  if (what == nullptr || what->listener || overdue(send.until, one.issued_at_ms)) return true;
  const Connection& connection = connections_[what->index];
  return connection.ends[what->end].reset || connection.ends[what->end].shut || send.bytes.empty() ||
         room(connection, what->end) > 0;
}

bool World::ready(const Inhabitant& one, const Sleep& sleep) const {
  return stopped() || (!scenario_.free_time && now_ms() >= after(one.issued_at_ms, sleep.wait_ms));
}

void World::answer(Index index) {
  const SharedValue<Inhabitant> kept = processes_.share(index);  // the instruction stays while the process goes on
  kept->process->pending([&]<class I>(const I& instruction) {
    if constexpr (std::same_as<I, Fork>) {
      fork(index, instruction);
    } else {
      respond(index, instruction, effect(index, instruction));
    }
  });
}

Result<Socket> World::effect(Index process, const OpenSocket& open) {
  if (const auto fault = processes_[process].fault) return failed(*fault);
  if (!is_address(open.at.host)) return failed(Errno::INVAL);
  if (open.at.port != 0 && somebody_listens_at(open.at)) return failed(Errno::ADDRINUSE);
  const Index made = counts_.contains(listeners_made) ? counts_[listeners_made].count : 0;
  const auto named = name(process, {true, made, 0});
  if (named) {
    const auto port = open.at.port != 0 ? open.at.port : static_cast<std::uint16_t>(49152 + made);
    listeners_.put(next(listeners_made), Listener{{open.at.host, port}, -1, {}});
    listener_names_.put(made, ListenerNames{1});
  }
  return named;
}

Result<Endpoint> World::effect(Index process, const Listen& listen) {
  const Inhabitant& one = processes_[process];
  if (one.fault) return failed(*one.fault);
  const Target* const what = target(one, listen.listener);
  if (what == nullptr) return failed(Errno::BADF);
  if (!what->listener) return failed(Errno::INVAL);
  if (listeners_[what->index].backlog < 0 && somebody_listens_at(listeners_[what->index].at)) {
    return failed(Errno::ADDRINUSE);
  }
  Listener& listener = listeners_.edit(what->index);
  listener.backlog = std::max(listen.backlog, 0);
  if (!counts_.contains(has_listened)) static_cast<void>(next(has_listened));
  return listener.at;
}

Result<Socket> World::effect(Index process, const Accept& accept) {
  const Inhabitant& one = processes_[process];
  if (one.fault) return failed(*one.fault);
  const Target* const what = target(one, accept.listener);
  if (what == nullptr) return failed(Errno::BADF);
  if (stopped()) return failed(Errno::STOPPING);
  if (!what->listener || listeners_[what->index].backlog < 0) return failed(Errno::INVAL);
  const Index listener = what->index;
  const auto [connection, client] = listeners_[listener].queue.front();
  const auto named = name(process, {false, connection, acceptee});
  if (!named) return named;
  listeners_.edit(listener).queue.pop_front();
  names_.put(side_of(connection, acceptee), Names{1});
  if (client != no_index) {
    accepted_ = {client + 1, ClientEvent::Kind::accepted, {}, process, *named};
  }
  return named;
}

Result<Socket> World::effect(Index process, const Connect& wanted) {
  const Inhabitant& one = processes_[process];
  if (one.fault) return failed(*one.fault);
  if (const auto over = overdue(wanted.until, one.issued_at_ms)) return failed(*over);
  if (!is_address(wanted.to.host)) return failed(Errno::INVAL);
  const auto listener = listening(wanted.to.port);
  if (!listener) return failed(Errno::CONNREFUSED);
  const Index made = counts_.contains(connections_made) ? counts_[connections_made].count : 0;
  const auto named = name(process, {false, made, opener});
  if (named) names_.put(side_of(connect(*listener, no_index), opener), Names{1});
  return named;
}

/// A failure that is the connection's own: the peer meets a reset.
Errno World::fail(Index process, Socket socket) {
  const Inhabitant& one = processes_[process];
  const Target* const what = target(one, socket);
  const Errno error = *one.fault;
  const bool transient = error == Errno::INTR || passes_by_itself(error);
  if (what != nullptr && !what->listener && !transient) {
    Connection& connection = connections_.edit(what->index);
    connection.ends[what->end].reset = connection.ends[what->end].reset_told = true;
    reset_peer(connection, what->end);
  }
  return error;
}

/// ECONNRESET, which a reset leaves behind; told once, then forgotten. Not after the peer had ended its side: then
/// Recv answers that end and Send EPIPE, as in Linux.
std::optional<Errno> World::reset_error(Connection& connection, Index end) {
  End& side = connection.ends[end];
  if (!side.reset || connection.pipes[1 - end].ended || std::exchange(side.reset_told, true)) return std::nullopt;
  return Errno::CONNRESET;
}

Result<Bytes> World::effect(Index process, const Recv& recv) {
  const Inhabitant& one = processes_[process];
  if (one.fault) return failed(fail(process, recv.from));
  const Target* const what = target(one, recv.from);
  if (what == nullptr) return failed(Errno::BADF);
  if (stopping(recv.until.drain_ms)) return failed(Errno::STOPPING);
  if (what->listener) return failed(Errno::NOTCONN);
  Connection& connection = connections_.edit(what->index);
  Pipe& in = connection.pipes[1 - what->end];
  if (in.arrived.empty()) {
    if (const auto error = reset_error(connection, what->end)) return failed(*error);
    if (in.ended || connection.ends[what->end].reset) return Bytes();
    return failed(*overdue(recv.until, one.issued_at_ms));
  }
  const auto most = static_cast<std::uint32_t>(std::min(recv.at_most, in.arrived.size()));
  const std::size_t amount = most - (scenario_.short_io ? shortfalls_.shortfall(most) : 0);
  Buffer* const buffer = Buffer::make(amount);
  buffer->marked = true;
  std::memcpy(buffer->data, in.arrived.data(), amount);
  in.arrived.erase(0, amount);
  return Bytes(buffer, amount);
}

Result<std::size_t> World::effect(Index process, const Send& send) {
  const Inhabitant& one = processes_[process];
  if (one.fault) return failed(fail(process, send.to));
  const Target* const what = target(one, send.to);
  if (what == nullptr) return failed(Errno::BADF);
  if (stopping(send.until.drain_ms)) return failed(Errno::STOPPING);
  if (what->listener) return failed(Errno::PIPE);
  Connection& connection = connections_.edit(what->index);
  if (const auto error = reset_error(connection, what->end)) return failed(*error);
  if (connection.ends[what->end].reset || connection.ends[what->end].shut) return failed(Errno::PIPE);
  if (send.bytes.empty()) return std::size_t{0};
  const std::size_t space = room(connection, what->end);
  if (space == 0) return failed(*overdue(send.until, one.issued_at_ms));
  const auto most = static_cast<std::uint32_t>(std::min(space, send.bytes.size()));
  const std::size_t amount = most - (scenario_.short_io ? shortfalls_.shortfall(most) : 0);
  connection.pipes[what->end].flying += send.bytes.take(amount).content();
  return amount;
}

Result<Unit> World::effect(Index process, const ShutdownSend& shutdown) {
  const Inhabitant& one = processes_[process];
  if (one.fault) return failed(fail(process, shutdown.socket));
  const Target* const what = target(one, shutdown.socket);
  if (what == nullptr) return failed(Errno::BADF);
  if (what->listener) {
    // It has no side to end. Linux says so only while it does not listen.
    if (listeners_[what->index].backlog < 0) return failed(Errno::NOTCONN);
    return Unit{};
  }
  const Connection& there = connections_[what->index];
  const bool over = there.pipes[opener].ended && there.pipes[acceptee].ended;
  if (there.ends[what->end].reset || over) return failed(Errno::NOTCONN);
  Connection& connection = connections_.edit(what->index);
  connection.pipes[what->end].end_flying = true;
  connection.ends[what->end].shut = true;
  return Unit{};
}

Result<Unit> World::effect(Index process, const Close& close) {
  const auto fault = processes_[process].fault;
  const Target* const what = target(processes_[process], close.socket);
  if (what == nullptr) return failed(Errno::BADF);
  const Target released = *what;
  std::vector<Target>& table = processes_.edit(process).table;
  table[static_cast<std::size_t>(close.socket.number)] = Target{};
  while (!table.empty() && table.back().index == no_index) table.pop_back();  // as if it never had been
  release(released);                                                          // whatever the answer is
  if (fault) return failed(*fault);
  return Unit{};
}

Result<Unit> World::effect(Index process, const DiscardChildren&) {
  if (const auto fault = processes_[process].fault) return failed(*fault);
  kinship_.edit(process).discards = true;
  return Unit{};
}

Result<Unit> World::effect(Index process, const Sleep&) {
  if (const auto fault = processes_[process].fault) return failed(*fault);
  if (stopped()) return failed(Errno::STOPPING);
  return Unit{};
}

/// A process that ended stays in the way until its parent has waited for it, discards it or ends.
bool World::may_fork(Index index, const Fork& instruction) const {
  const std::int64_t made = counts_[processes_made].count;
  const auto most = static_cast<std::int64_t>(scenario_.max_processes);
  if (made < most && made < instruction.at_most) return true;
  std::int64_t all = 0;
  std::int64_t own = 0;
  kinship_.for_each([&](PartKey, const Kinship& one) {
    const Kinship* const parent = one.parent == no_index ? nullptr : kinship_.find(one.parent);
    const bool unreaped = parent != nullptr && !parent->ended && !parent->discards;
    if (one.ended && !unreaped) return;
    ++all;
    if (one.parent == index) ++own;
  });
  return all < most && own < instruction.at_most;
}

void World::fork(Index index, const Fork& instruction) {
  if (const auto fault = processes_[index].fault) return respond(index, instruction, failed(*fault));
  if (!may_fork(index, instruction)) return respond(index, instruction, failed(Errno::AGAIN));
  const Index child = next(processes_made);
  Inhabitant born = processes_[index];
  for (const Target& held : born.table) {
    if (held.index != no_index) ++holders(held);
  }
  born.issued_at_ms = now_ms();
  processes_.put(child, std::move(born));
  kinship_.put(child, Kinship{index, false, false});
  respond(index, instruction, Forked(Parent{Pid{static_cast<std::int64_t>(child) + 1}}), child);
  respond(child, instruction, Forked(Child{}));
}

}  // namespace antiphon
