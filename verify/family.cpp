#include "verify/family.hpp"

#include <algorithm>

#include "core/programs/server.hpp"

namespace antiphon::verify {

namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};

template <class I>
const typename I::Response::value_type* success(const Exchange<I>& exchange) {
  return exchange.response && exchange.response->has_value() ? &**exchange.response : nullptr;
}

template <class I>
std::optional<Errno> failure(const Exchange<I>& exchange) {
  if (!exchange.response || exchange.response->has_value()) return std::nullopt;
  return exchange.response->error();
}

}  // namespace

Family::Family(std::uint32_t first_processes) {
  for (ProcessId id = 0; id < first_processes; ++id) {
    processes_.put(id, ProcessState{});
    parenthoods_.put(id, Parenthood{});
  }
}

const Parenthood* Family::parenthood(ProcessId id) const { return parenthoods_.find(id); }
const std::set<ProcessId>& Family::holders(ConnectionId id) const {
  static const std::set<ProcessId> none;
  const Holders* const found = holders_.find(id);
  return found == nullptr ? none : found->processes;
}

std::optional<Held> Family::held(ProcessId id, Socket socket) const {
  const ProcessState* const one = process(id);
  return one == nullptr ? std::nullopt : one->held(socket);
}

void Family::move(const Event& event) {
  std::visit(Overloaded{[&](const ProcessEvent& of_process) { move(of_process); },
                        [&](const ClientEvent& of_client) { move(of_client); }, [](const StopEvent&) {}},
             event);
}

void Family::accept(ProcessId id, Socket socket) {
  const ConnectionId connection = next_number(connections_of_all);
  processes_.edit(id).table[socket.number] = {false, connection};
  connections_.put(connection, ConnectionState{});
  holders_.put(connection, Holders{{id}});
}

void Family::fork(ProcessId id, std::optional<ProcessId> child) {
  if (!child) return;
  ProcessState born;
  born.table = processes_[id].table;
  born.parent = id;
  for (const auto& [name, held] : born.table) {
    if (held.listener) continue;
    holders_.edit(held.connection).processes.insert(*child);
    connections_.edit(held.connection).served = true;
  }
  processes_.put(*child, std::move(born));
  parenthoods_.put(*child, Parenthood{});
}

void Family::release(ProcessId id, Held held) {
  if (held.listener || !holders_.contains(held.connection)) return;
  std::set<ProcessId>& processes = holders_.edit(held.connection).processes;
  processes.erase(id);
  if (!processes.empty()) return;
  holders_.erase(held.connection);
  connections_.erase(held.connection);
}

void Family::note_success(ProcessId id, Socket socket) {
  const auto what = held(id, socket);
  const ConnectionState* const before = what && !what->listener ? connection(what->connection) : nullptr;
  if (before == nullptr || before->failures == 0) return;
  ConnectionState& connection = connections_.edit(what->connection);
  if (connection.failures == failures_of_a_lost_connection) {
    connection.excuse = std::max(connection.waited_ms, connection.alarm_ms) > 0 ? Excuse::deadline : Excuse::none;
  }
  connection.failures = 0;
}

bool Family::is_own_fault(ProcessId id, Socket to, Errno error) const {
  const auto what = held(id, to);
  const ConnectionState* const connection = what ? this->connection(what->connection) : nullptr;
  return error == Errno::PIPE && connection != nullptr && connection->side_ended;
}

void Family::note(ProcessId id, Socket socket, Errno error, const TimeLimits& shown) {
  const auto what = held(id, socket);
  if (!what || what->listener) return;
  const ConnectionState* const before = connection(what->connection);
  if (before == nullptr) return;
  if (error == Errno::EXPIRED) {
    ConnectionState& connection = connections_.edit(what->connection);
    if (shown.progress_ms == forever_ms) {
      connection.waited_ms = std::max(connection.waited_ms, shown.idle_ms);
    } else if (std::min(shown.idle_ms, shown.progress_ms) >=
               std::min(connection.alarmed_wait_ms, connection.alarm_ms)) {
      connection.alarmed_wait_ms = shown.idle_ms;
      connection.alarm_ms = shown.progress_ms;
    }
    if (connection.excuse == Excuse::none) connection.excuse = Excuse::deadline;
  } else if (before->excuse == Excuse::none || before->excuse == Excuse::deadline) {
    if (error == Errno::INTR) return;
    ConnectionState& connection = connections_.edit(what->connection);
    if (error == Errno::STOPPING) {
      connection.excuse = Excuse::drain;
    } else if (!passes_by_itself(error) || ++connection.failures == failures_of_a_lost_connection) {
      connection.excuse = Excuse::reset;
    }
  }
}

void Family::move(const ProcessEvent& event) {
  const ProcessId id = event.process;
  if (std::holds_alternative<Ended>(event.what)) {
    const auto table = processes_[id].table;
    for (const auto& [name, held] : table) release(id, held);
    processes_.erase(id);
    // Whose children are discarded leaves none behind, dead or alive: nothing changes for them.
    if (!parenthoods_[id].discards) parenthoods_.erase(id);
    return;
  }
  const auto& issued = std::get<Issued>(event.what);
  ProcessState& one = processes_.edit(id);
  std::visit(
      [&]<class I>(const Exchange<I>& exchange) {
        if (!exchange.response) one.waiting = Waiting{issued.exchange};
        if (exchange.response && one.waiting) one.waiting.reset();
        if (failure(exchange) == Errno::STOPPING) one.stopping = true;
        if (std::same_as<I, Accept>) one.accepts = true;
        if constexpr (!std::same_as<I, Close> && !std::same_as<I, Sleep>) one.refuses_above.reset();
      },
      issued.exchange);
  take(id, issued);
}

/// What the answered instruction did.
void Family::take(ProcessId id, const Issued& issued) {
  std::visit(Overloaded{[&](const Exchange<OpenSocket>& open) {
                          const Socket* const opened = success(open);
                          if (opened != nullptr)
                            processes_.edit(id).table[opened->number] = {true, next_number(listeners)};
                        },
                        [&](const Exchange<Connect>& connect) {
                          if (const Socket* connected = success(connect)) accept(id, *connected);
                        },
                        [&](const Exchange<Accept>& exchange) {
                          if (const Socket* accepted = success(exchange)) accept(id, *accepted);
                        },
                        [&](const Exchange<Recv>& recv) {
                          const std::int64_t wait_ms = recv.instruction.until.wait_ms;
                          // An alarm cuts silence short as a deadline does.
                          if (const auto error = failure(recv))
                            note(id, recv.instruction.from, *error, {std::min(wait_ms, processes_[id].alarm_ms)});
                          const Bytes* const got = success(recv);
                          if (got != nullptr) note_success(id, recv.instruction.from);
                          if (got == nullptr || !got->empty()) return;
                          const auto what = held(id, recv.instruction.from);
                          if (what && !what->listener) connections_.edit(what->connection).input_ended = true;
                        },
                        [&](const Exchange<Send>& send) {
                          const auto error = failure(send);
                          // One that did not wait says nothing of its client's patience.
                          const bool at_once = error == Errno::EXPIRED && send.instruction.until.wait_ms == 0;
                          if (error && !at_once && !is_own_fault(id, send.instruction.to, *error))
                            note(id, send.instruction.to, *error,
                                 {send.instruction.until.wait_ms, processes_[id].alarm_ms});
                          if (success(send) != nullptr) note_success(id, send.instruction.to);
                        },
                        [&](const Exchange<ShutdownSend>& shutdown) {
                          if (const auto error = failure(shutdown)) note(id, shutdown.instruction.socket, *error, {});
                          const auto what = held(id, shutdown.instruction.socket);
                          if (success(shutdown) == nullptr || !what || what->listener) return;
                          connections_.edit(what->connection).side_ended = true;
                        },
                        [&](const Exchange<Close>& close) {
                          const auto what = held(id, close.instruction.socket);
                          if (!what || !close.response) return;
                          processes_.edit(id).table.erase(close.instruction.socket.number);
                          release(id, *what);
                        },
                        [&](const Exchange<Fork>& forked) {
                          const Fork& wanted = forked.instruction;
                          if (failure(forked))
                            processes_.edit(id).refuses_above = RefusesAbove{wanted.at_most, wanted.at_most_alike};
                          const Forked* const answer = success(forked);
                          if (answer != nullptr && std::holds_alternative<Parent>(*answer)) fork(id, issued.child);
                        },
                        [&](const Exchange<DiscardChildren>& discard) {
                          if (success(discard) != nullptr) parenthoods_.edit(id).discards = true;
                        },
                        [&](const Exchange<Alarm>& alarm) {
                          if (success(alarm) != nullptr) processes_.edit(id).alarm_ms = alarm.instruction.wait_ms;
                        },
                        [](const auto&) {}},
             issued.exchange);
}

void Family::move(const ClientEvent& event) {
  if (event.kind != ClientEvent::Kind::accepted) return;
  if (const auto what = held(event.process, event.socket); what && !what->listener) {
    connections_.edit(what->connection).client = event.client;
  }
}

}  // namespace antiphon::verify
