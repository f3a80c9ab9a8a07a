#include "verify/family.hpp"

#include <algorithm>

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

/// The errors of a connection that is gone for good. What is wrong with the instruction itself is none of them.
bool is_lost(Errno error) {
  switch (error) {
    case Errno::CONNRESET:
    case Errno::PIPE:
    case Errno::TIMEDOUT:
    case Errno::NOTCONN:
    case Errno::CONNABORTED:
    case Errno::CONNREFUSED:
    case Errno::NETDOWN:
    case Errno::NETUNREACH:
    case Errno::HOSTDOWN:
    case Errno::HOSTUNREACH:
    case Errno::IO:
      return true;
    default:
      return false;
  }
}

}  // namespace

Family::Family() { processes_[0]; }

const ProcessState* Family::process(ProcessId id) const {
  const auto found = processes_.find(id);
  return found == processes_.end() ? nullptr : &found->second;
}

const ConnectionState* Family::connection(ConnectionId id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : &found->second;
}

std::optional<Held> Family::held(ProcessId id, Socket socket) const {
  const ProcessState* const one = process(id);
  if (one == nullptr) return std::nullopt;
  const auto found = one->table.find(socket.number);
  return found == one->table.end() ? std::nullopt : std::optional(found->second);
}

void Family::move(const Event& event) {
  std::visit(Overloaded{[&](const ProcessEvent& of_process) { move(of_process); },
                        [&](const ClientEvent& of_client) { move(of_client); }, [](const StopEvent&) {}},
             event);
}

void Family::accept(ProcessId id, Socket socket) {
  const ConnectionId connection = next_++;
  processes_[id].table[socket.number] = {false, connection};
  connections_[connection].holders.insert(id);
}

void Family::fork(ProcessId id, std::optional<ProcessId> child) {
  if (!child) return;
  ProcessState& born = processes_[*child];
  born.table = processes_[id].table;
  born.parent = id;
  for (const auto& [name, held] : born.table) {
    if (held.listener) continue;
    connections_[held.connection].holders.insert(*child);
    connections_[held.connection].served = true;
  }
}

void Family::release(ProcessId id, Held held) {
  if (held.listener) return;
  const auto found = connections_.find(held.connection);
  if (found == connections_.end()) return;
  found->second.holders.erase(id);
  if (found->second.holders.empty()) connections_.erase(found);
}

void Family::note(ProcessId id, Socket socket, Errno error, std::int64_t waited_ms) {
  const auto what = held(id, socket);
  if (!what || what->listener) return;
  const auto found = connections_.find(what->connection);
  if (found == connections_.end()) return;
  ConnectionState& connection = found->second;
  if (error == Errno::PIPE && connection.side_ended) return;
  if (error == Errno::EXPIRED) {
    connection.waited_ms = std::max(connection.waited_ms, waited_ms);
    if (connection.excuse == Excuse::none) connection.excuse = Excuse::deadline;
  } else if (connection.excuse == Excuse::none || connection.excuse == Excuse::deadline) {
    if (error == Errno::STOPPING) connection.excuse = Excuse::drain;
    if (is_lost(error)) connection.excuse = Excuse::reset;
  }
}

void Family::move(const ProcessEvent& event) {
  const ProcessId id = event.process;
  ProcessState& one = processes_[id];
  if (std::holds_alternative<Ended>(event.what)) {
    for (const auto& [name, held] : one.table) release(id, held);
    processes_.erase(id);
    return;
  }
  const auto& issued = std::get<Issued>(event.what);
  std::visit(
      [&]<class I>(const Exchange<I>& exchange) {
        one.waiting = exchange.response ? std::nullopt : std::optional(Waiting{issued.exchange});
        if (failure(exchange) == Errno::STOPPING) one.stopping = true;
        if constexpr (!std::same_as<I, Close> && !std::same_as<I, Sleep>) one.refuses_above.reset();
      },
      issued.exchange);
  std::visit(Overloaded{[&](const Exchange<OpenSocket>& open) {
                          if (const Socket* opened = success(open)) one.table[opened->number] = {true, next_++};
                        },
                        [&](const Exchange<Connect>& connect) {
                          if (const Socket* connected = success(connect)) accept(id, *connected);
                        },
                        [&](const Exchange<Accept>& exchange) {
                          one.accepts = true;
                          if (const Socket* accepted = success(exchange)) accept(id, *accepted);
                        },
                        [&](const Exchange<Recv>& recv) {
                          if (const auto error = failure(recv))
                            note(id, recv.instruction.from, *error, recv.instruction.until.wait_ms);
                          const Bytes* const got = success(recv);
                          const auto what = held(id, recv.instruction.from);
                          if (got == nullptr || !got->empty() || !what || what->listener) return;
                          connections_[what->connection].input_ended = true;
                        },
                        [&](const Exchange<Send>& send) {
                          if (const auto error = failure(send))
                            note(id, send.instruction.to, *error, send.instruction.until.wait_ms);
                        },
                        [&](const Exchange<ShutdownSend>& shutdown) {
                          if (const auto error = failure(shutdown)) note(id, shutdown.instruction.socket, *error, 0);
                          const auto what = held(id, shutdown.instruction.socket);
                          if (success(shutdown) == nullptr || !what || what->listener) return;
                          connections_[what->connection].side_ended = true;
                        },
                        [&](const Exchange<Close>& close) {
                          const auto what = held(id, close.instruction.socket);
                          if (!what || !close.response) return;
                          one.table.erase(close.instruction.socket.number);
                          release(id, *what);
                        },
                        [&](const Exchange<Fork>& forked) {
                          if (failure(forked)) one.refuses_above = forked.instruction.at_most;
                          const Forked* const answer = success(forked);
                          if (answer != nullptr && std::holds_alternative<Parent>(*answer)) fork(id, issued.child);
                        },
                        [&](const Exchange<DiscardChildren>& discard) {
                          if (success(discard) != nullptr) one.discards = true;
                        },
                        [](const auto&) {}},
             issued.exchange);
}

void Family::move(const ClientEvent& event) {
  if (event.kind != ClientEvent::Kind::accepted) return;
  if (const auto what = held(event.process, event.socket); what && !what->listener) {
    connections_[what->connection].client = event.client;
  }
}

}  // namespace antiphon::verify
