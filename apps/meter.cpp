#include "apps/meter.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace antiphon {

void Meter::saw(ProcessId process, const ExchangeView& exchange, kernel::Nanoseconds known) {
  known_ = std::max(known_, known);
  std::visit(
      [&]<class I>(const ExchangeRef<I>& seen) {
        const std::size_t result = seen.response ? 0 : result_kind(seen.response.error());
        add(slot_->instructions[result][exchange.index()], 1);
        note(process, seen.instruction, seen.response);
      },
      exchange);
}

void Meter::forked(ProcessId parent, std::optional<ProcessId> child) {
  last_held_ = nullptr;
  auto handed_over = held_.extract(parent);
  if (handed_over.empty() || !child) return;
  handed_over.key() = *child;
  try {
    held_.insert(std::move(handed_over));
  } catch (const std::bad_alloc&) {
    if (handed_over.empty()) return;
    for (const Connection& connection : handed_over.mapped()) count_end(connection);
  }
}

void Meter::ended(ProcessId process, const Result<Unit>& result, kernel::Nanoseconds known) {
  known_ = std::max(known_, known);
  if (const Held* const held = held_by(process)) {
    for (const Connection& connection : *held) count_end(connection);
    last_held_ = nullptr;
    held_.erase(process);
  }
  if (!result) add(slot_->failed_processes, 1);
}

void Meter::note(ProcessId process, const Accept&, const Result<Socket>& client) {
  if (!client) return;
  add(slot_->accepted, 1);
  try {
    held_[process].push_back({.socket = *client, .since = known_});
  } catch (const std::bad_alloc&) {
    add(slot_->ended, 1);
  }
  if (when_accepted_) when_accepted_();
}

void Meter::note(ProcessId process, const Fork&, const Result<Forked>& forked) {
  if (Held* const held = held_by(process)) {
    for (Connection& connection : *held) connection.refused = !forked;
  }
}

void Meter::note(ProcessId process, const Recv& recv, const Result<Bytes>& message) {
  if (!message || message->empty()) return;
  add(slot_->received_bytes, message->size());
  Connection* const connection = find(process, recv.from);
  if (connection == nullptr) return;
  if (connection->owed == 0) connection->received_at = known_;
  connection->owed += message->size();
}

void Meter::note(ProcessId process, const Send& send, const Result<std::size_t>& sent) {
  if (!sent) return;
  add(slot_->sent_bytes, *sent);
  Connection* const connection = find(process, send.to);
  if (connection == nullptr || connection->owed == 0) return;
  connection->owed -= std::min<std::uint64_t>(*sent, connection->owed);
  if (connection->owed > 0) return;
  known_ = std::max(known_, clock_());
  measure(slot_->latency, known_ - connection->received_at);
}

void Meter::note(ProcessId process, const Close& close, const Result<Unit>&) {
  // The name is free whatever Close answers.
  const Connection* const connection = find(process, close.socket);
  if (connection == nullptr) return;
  count_end(*connection);
  Held& held = *held_by(process);
  held.erase(held.begin() + (connection - held.data()));
  if (!held.empty()) return;
  last_held_ = nullptr;
  held_.erase(process);
}

Meter::Held* Meter::held_by(ProcessId process) {
  if (last_held_ != nullptr && last_process_ == process) return last_held_;
  const auto found = held_.find(process);
  if (found == held_.end()) return nullptr;
  last_process_ = process;
  last_held_ = &found->second;
  return last_held_;
}

Meter::Connection* Meter::find(ProcessId process, Socket socket) {
  Held* const held = held_by(process);
  if (held == nullptr) return nullptr;
  const auto found = std::ranges::find(*held, socket, &Connection::socket);
  return found == held->end() ? nullptr : &*found;
}

void Meter::count_end(const Connection& connection) {
  if (connection.refused) return add(slot_->refused, 1);
  add(slot_->ended, 1);
  measure(slot_->duration, known_ - connection.since);
}

}  // namespace antiphon
