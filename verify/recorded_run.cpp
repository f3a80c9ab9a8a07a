#include "verify/recorded_run.hpp"

#include <algorithm>
#include <concepts>
#include <variant>

#include "verify/contract.hpp"

namespace antiphon::verify {

namespace {

/// What the answer carried, if it did. A Send carries no more than it was given, whatever a record says.
template <Instruction I>
std::size_t carried(const Exchange<I>& exchange) {
  if (!exchange.response || !*exchange.response) return 0;
  if constexpr (std::same_as<I, Recv>) return (*exchange.response)->size();
  if constexpr (std::same_as<I, Send>) return std::min(**exchange.response, exchange.instruction.bytes.size());
  return 0;
}

bool is_on(const AnyExchange<Net>& exchange, Socket socket) {
  return std::visit(
      [&]<class I>(const Exchange<I>& one) {
        if constexpr (OnSocket<I>) return socket_of(one.instruction) == socket;
        return false;
      },
      exchange);
}

bool closes(const ProcessEvent& event, Socket socket) {
  const auto* const close = exchange_of<Close>(event);
  return close != nullptr && close->instruction.socket == socket;
}

}  // namespace

std::optional<Errno> error_of(const AnyExchange<Net>& exchange) {
  return std::visit(
      [](const auto& one) -> std::optional<Errno> {
        if (!one.response || *one.response) return std::nullopt;
        return one.response->error();
      },
      exchange);
}

bool is_answered(const AnyExchange<Net>& exchange) {
  return std::visit([](const auto& one) { return one.response.has_value(); }, exchange);
}

RecordedRun::RecordedRun(const std::vector<ProcessEvent>& record) : record_(&record) {
  for (std::size_t position = 0; position < record.size(); ++position) {
    const ProcessEvent& event = record[position];
    lines_[event.process].push_back({&event, position});
    const auto* const issued = std::get_if<Issued>(&event.what);
    if (issued != nullptr) std::visit([&](const auto& exchange) { count(exchange); }, issued->exchange);
  }
}

template <Instruction I>
void RecordedRun::count(const Exchange<I>& exchange) {
  if constexpr (std::same_as<I, Fork>) counts_addresses_ |= exchange.instruction.at_most_alike != unlimited;
  if (!exchange.response || !*exchange.response) return;
  if constexpr (std::same_as<I, Accept>) ++accepted_;
  if constexpr (std::same_as<I, Connect>) has_connects_ = true;
  largest_ = std::max(largest_, carried(exchange));
}

const RecordedRun::Lines& RecordedRun::of(ProcessId process) const {
  static const Lines none;
  const auto found = lines_.find(process);
  return found == lines_.end() ? none : found->second;
}

ToCome RecordedRun::to_come(ProcessId process, std::uint64_t from, Socket socket) const {
  const Lines& lines = of(process);
  ToCome all;
  for (std::uint64_t at = from; at < lines.size() && !closes(*lines[at].event, socket); ++at) {
    const auto* const issued = std::get_if<Issued>(&lines[at].event->what);
    if (issued == nullptr) continue;
    // Children are numbered after their parents; what a file says may be otherwise.
    if (issued->child > process) all.add(to_come(*issued->child, 0, socket));
    const auto* const recv = std::get_if<Exchange<Recv>>(&issued->exchange);
    if (recv != nullptr && recv->instruction.from == socket) all.bytes += carried(*recv);
    all.reset |= is_on(issued->exchange, socket) && error_of(issued->exchange) == Errno::CONNRESET;
  }
  return all;
}

}  // namespace antiphon::verify
