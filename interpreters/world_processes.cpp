#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "interpreters/world.hpp"

/// The world's processes: what their instructions wait for, do and are answered.

namespace antiphon {

using namespace world;

namespace {

bool is_address(const std::string& host) {
  std::array<std::byte, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

/// Both sides have ended, and both know.
bool is_over(const Connection& connection) {
  return connection.pipes[opener].ended && connection.pipes[acceptee].ended;
}

}  // namespace

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
  if (overdue(one, connect.until)) return true;
  const auto listener = listening(connect.to.port);
  return !listener || has_room(listeners_[*listener]);
}

bool World::ready(const Inhabitant& one, const Recv& recv) const {
  const Target* const what = target(one, recv.from);
  if (what == nullptr || what->listener || overdue(one, recv.until)) return true;
  const Connection& connection = connections_[what->index];
  const Pipe& in = connection.pipes[1 - what->end];
  return !in.arrived.empty() || in.ended || connection.ends[what->end].reset;
}

bool World::ready(const Inhabitant& one, const Send& send) const {
  const Target* const what = target(one, send.to);
  if (what == nullptr || what->listener || overdue(one, send.until)) return true;
  const Connection& connection = connections_[what->index];
  return connection.ends[what->end].reset || connection.ends[what->end].shut || send.bytes.empty() ||
         room(connection, what->end) > 0;
}

bool World::ready(const Inhabitant& one, const Sleep& sleep) const {
  return stopped() || (!scenario_.free_time && now_ms() >= after(one.issued_at_ms, sleep.wait_ms));
}

void World::answer(Index index) {
  const ServerProcess kept = *processes_[index].process;  // the instruction stays while the process goes on
  kept.pending([&]<class I>(const I& instruction) {
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
  names_.put(key_of(connection, acceptee), Names{1});
  if (client != no_index) {
    accepted_ = {client + 1, ClientEvent::Kind::accepted, {}, process, *named};
  }
  return named;
}

Result<Socket> World::effect(Index process, const Connect& wanted) {
  const Inhabitant& one = processes_[process];
  if (one.fault) return failed(*one.fault);
  if (const auto over = overdue(one, wanted.until)) return failed(*over);
  if (!is_address(wanted.to.host)) return failed(Errno::INVAL);
  const auto listener = listening(wanted.to.port);
  if (!listener) return failed(Errno::CONNREFUSED);
  const Index made = counts_.contains(connections_made) ? counts_[connections_made].count : 0;
  const auto named = name(process, {false, made, opener});
  if (named) names_.put(key_of(connect(*listener, no_index), opener), Names{1});
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

/// The side of a connection that the process would receive from or send to, or why it cannot.
Result<Target> World::side_of(Index process, Socket socket, const Deadline& until, Errno of_listener) {
  const Inhabitant& one = processes_[process];
  if (one.fault) return failed(fail(process, socket));
  const Target* const what = target(one, socket);
  if (what == nullptr) return failed(Errno::BADF);
  if (stopping(until.drain_ms)) return failed(Errno::STOPPING);
  if (what->listener) return failed(of_listener);
  return *what;
}

Result<Bytes> World::effect(Index process, const Recv& recv) {
  const auto what = side_of(process, recv.from, recv.until, Errno::NOTCONN);
  if (!what) return failed(what.error());
  Connection& connection = connections_.edit(what->index);
  Pipe& in = connection.pipes[1 - what->end];
  if (in.arrived.empty()) {
    if (const auto error = reset_error(connection, what->end)) return failed(*error);
    if (in.ended || connection.ends[what->end].reset) return Bytes();
    return failed(*overdue(processes_[process], recv.until));
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
  const auto what = side_of(process, send.to, send.until, Errno::PIPE);
  if (!what) return failed(what.error());
  Connection& connection = connections_.edit(what->index);
  if (const auto error = reset_error(connection, what->end)) return failed(*error);
  if (connection.ends[what->end].reset || connection.ends[what->end].shut) return failed(Errno::PIPE);
  if (send.bytes.empty()) return std::size_t{0};
  const std::size_t space = room(connection, what->end);
  if (space == 0) return failed(*overdue(processes_[process], send.until));
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
  if (there.ends[what->end].reset || is_over(there)) return failed(Errno::NOTCONN);
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

/// (Where time is free, one that is set is set: when it rings is up to whoever asks.)
Result<Unit> World::effect(Index process, const Alarm& alarm) {
  processes_.edit(process).alarm_at_ms = after(now_ms(), alarm.wait_ms);
  return Unit{};
}

/// At which address the client is that the new process is for; whoever is gone is at one address. The programs' own
/// connections come from the first. None: it does not count.
Index World::origin_of(Index process, const Fork& instruction) const {
  constexpr Index gone = no_index - 1;
  if (instruction.at_most_alike == unlimited) return no_index;
  const Target* const what = target(processes_[process], instruction.client);
  if (what == nullptr || what->listener) return gone;
  const Connection& connection = connections_[what->index];
  if (connection.ends[what->end].reset || is_over(connection)) return gone;
  const Index client = connection.ends[opener].client;
  return what->end == opener || client == no_index ? 0 : address_of(scenario_, client);
}

/// A process that ended stays in the way until its parent has waited for it, discards it or ends.
bool World::may_fork(Index index, const Fork& instruction, Index origin) const {
  const std::int64_t made = counts_[processes_made].count;
  const auto most = static_cast<std::int64_t>(scenario_.max_processes);
  if (made < most && made < instruction.at_most && made < instruction.at_most_alike) return true;
  std::int64_t all = 0;
  std::int64_t own = 0;
  std::int64_t alike = 0;
  kinship_.for_each([&](PartKey, const Kinship& one) {
    const Kinship* const parent = one.parent == no_index ? nullptr : kinship_.find(one.parent);
    const bool unreaped = parent != nullptr && !parent->ended && !parent->discards;
    if (one.ended && !unreaped) return;
    ++all;
    if (one.parent != index) return;
    ++own;
    if (origin != no_index && one.origin == origin) ++alike;
  });
  return all < most && own < instruction.at_most && alike < instruction.at_most_alike;
}

void World::fork(Index index, const Fork& instruction) {
  if (const auto fault = processes_[index].fault) return respond(index, instruction, failed(*fault));
  const Index origin = origin_of(index, instruction);
  if (!may_fork(index, instruction, origin)) return respond(index, instruction, failed(Errno::AGAIN));
  const Index child = next(processes_made);
  Inhabitant born = processes_[index];
  for (const Target& held : born.table) {
    if (held.index != no_index) ++holders(held);
  }
  born.issued_at_ms = now_ms();
  born.alarm_at_ms = forever_ms;
  processes_.put(child, std::move(born));
  kinship_.put(child, Kinship{index, false, false, origin});
  respond(index, instruction, Forked(Parent{Pid{static_cast<std::int64_t>(child) + 1}}), child);
  respond(child, instruction, Forked(Child{}));
}

}  // namespace antiphon
