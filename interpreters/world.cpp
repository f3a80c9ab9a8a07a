#include "interpreters/world.hpp"

#include <algorithm>
#include <cstddef>

namespace antiphon {

using namespace world;

namespace {

bool is_any(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

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

Digest World::digest() {
  Digest all;
  for_each_kind([&](const auto& parts) {
    all.add_word(parts.size());
    parts.for_each([&](PartKey key, const auto& part) {
      all.add_word(key);
      identify(all, part);
    });
  });
  return all;
}

std::int64_t World::last_due_ms() const {
  std::int64_t last = 0;
  processes_.for_each([&](PartKey, const Inhabitant& one) {
    if (const std::int64_t due = due_ms(one); due != forever_ms) last = std::max(last, due);
  });
  clients_.for_each([&](PartKey, const Client& client) { last = std::max(last, client.wake_at_ms); });
  return last;
}

bool World::faults_to_come() const {
  return std::ranges::any_of(scenario_.faults,
                             [&](const Fault& fault) { return fault.nth >= issued_.at(fault.instruction); });
}

// -- time -------------------------------------------------------------------------------------------------------------

std::int64_t World::after(std::int64_t start_ms, std::int64_t wait_ms) {
  return wait_ms >= forever_ms - start_ms ? forever_ms : start_ms + wait_ms;
}

bool World::stopping(std::int64_t drain_ms) const {
  const Time& clock = this->clock();
  return clock.stopped_at_ms && (way_out_ == Errno::STOPPING || clock.now_ms - *clock.stopped_at_ms >= drain_ms);
}

/// When the pending instruction has waited long enough, or is cut short by the process's alarm.
std::int64_t World::expiry_ms(const Inhabitant& one, const Deadline& until) {
  return std::min(after(one.issued_at_ms, until.wait_ms), one.alarm_at_ms);
}

/// When the pending instruction is answered at the latest.
std::int64_t World::due_ms(const Inhabitant& one) const {
  std::int64_t due = forever_ms;
  one.process->pending([&]<class I>(const I& instruction) {
    if constexpr (requires { instruction.until; }) {
      due = expiry_ms(one, instruction.until);
      if (const auto stopped = clock().stopped_at_ms) due = std::min(due, after(*stopped, instruction.until.drain_ms));
    }
    if constexpr (std::same_as<I, Sleep>) due = after(one.issued_at_ms, instruction.wait_ms);
  });
  return due;
}

/// What a waiting instruction answers if its time is over.
std::optional<Errno> World::overdue(const Inhabitant& one, const Deadline& until) const {
  const bool stop_due = stopping(until.drain_ms);
  if (scenario_.free_time) return stop_due ? Errno::STOPPING : way_out_;
  const std::int64_t expiry = expiry_ms(one, until);
  const bool wait_due = now_ms() >= expiry;
  if (stop_due && wait_due) {
    const bool stop_first = after(*clock().stopped_at_ms, until.drain_ms) <= expiry;
    return stop_first ? Errno::STOPPING : Errno::EXPIRED;
  }
  if (stop_due) return Errno::STOPPING;
  if (wait_due) return Errno::EXPIRED;
  return std::nullopt;
}

std::vector<Errno> World::ways_out(Index process) const {
  std::vector<Errno> ways;
  if (can_answer(process)) return ways;
  const Inhabitant& one = processes_[process];
  one.process->pending([&]<class I>(const I& instruction) {
    if constexpr (requires { instruction.until; }) {
      if (expiry_ms(one, instruction.until) != forever_ms) ways.push_back(Errno::EXPIRED);
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
  return what.listener ? listener_names_.edit(what.index).count : names_.edit(key_of(what.index, what.end)).count;
}

void World::release(const Target& what) {
  if (--holders(what) > 0) return;
  if (!what.listener) {
    names_.erase(key_of(what.index, what.end));
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

}  // namespace antiphon
