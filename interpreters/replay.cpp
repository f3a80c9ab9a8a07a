#include "interpreters/replay.hpp"

#include <algorithm>
#include <concepts>
#include <tuple>
#include <utility>

#include "interpreters/payload_digest.hpp"

namespace antiphon {

namespace {

template <class T>
bool agree(const T& issued, const T& recorded) {
  return issued == recorded;
}

/// Of bytes that are not kept: as far as both are known. That what is sent was received is for the contracts to say.
bool agree(const Bytes& issued, const Bytes& recorded) {
  if (issued.is_kept() && recorded.is_kept()) return issued == recorded;
  if (issued.size() != recorded.size()) return false;
  const auto known = known_digest(issued);
  return !known || known == known_digest(recorded);
}

template <Instruction I>
bool agree_in_operands(const I& issued, const I& recorded) {
  return std::apply(
      [&](const auto&... field) { return (agree(issued.*(field.member), recorded.*(field.member)) && ...); },
      I::fields);
}

bool answered_by_digest(const Exchange<Recv>& recv) {
  return recv.response && *recv.response && !(*recv.response)->is_kept();
}

/// Whether the process stands at that very instruction.
bool stands_at(const Process<Net, Result<Unit>>& process, const AnyExchange<Net>& recorded) {
  if (process.finished()) return false;
  bool is_same = false;
  std::visit(
      [&]<class I>(const Exchange<I>& exchange) {
        process.pending([&]<class J>(const J& issued) {
          if constexpr (std::same_as<I, J>) is_same = agree_in_operands(issued, exchange.instruction);
        });
      },
      recorded);
  return is_same;
}

}  // namespace

Replay::Replay(const std::vector<Server>& programs) {
  for (const Server& program : programs) living_.emplace(living_.size(), Replayed{Process(program)});
}

void Replay::see(const Event& event) {
  order_.see(
      event, [&](ProcessId process) { return is_over() || living_.contains(process); },
      [&](const Event& next) -> std::optional<ProcessId> {
        const auto* const of_process = std::get_if<ProcessEvent>(&next);
        return of_process == nullptr || is_over() ? std::nullopt : take(*of_process);
      });
}

std::optional<ProcessId> Replay::take(const ProcessEvent& event) {
  Replayed& replayed = living_.at(event.process);
  auto& process = replayed.process;
  if (const auto* const ended = std::get_if<Ended>(&event.what)) {
    if (!process.finished() || process.result() != ended->result) {
      part(event, replayed);
    } else {
      living_.erase(event.process);
    }
    return std::nullopt;
  }
  const auto& recorded = std::get<Issued>(event.what);
  if (!stands_at(process, recorded.exchange)) {
    part(event, replayed);
    return std::nullopt;
  }
  ++instructions_;
  // The child stands at the Fork too: its first event is what that answers to it.
  if (recorded.child) living_.insert_or_assign(*recorded.child, replayed);
  std::visit(
      [&]<class I>(const Exchange<I>& exchange) {
        replayed.waits = !exchange.response;
        if constexpr (std::same_as<I, Recv>) has_digests_ |= answered_by_digest(exchange);
        const std::uint64_t looks_before = looks();
        if (exchange.response) process.template answer<I>(*exchange.response);
        has_looked_ |= has_digests_ && looks() != looks_before;
      },
      recorded.exchange);
  return recorded.child;
}

void Replay::part(const ProcessEvent& event, const Replayed& replayed) {
  parting_ = Parting{event.process, event.number, event.what, Ended{}};
  if (replayed.process.finished()) {
    parting_->issued = Ended{replayed.process.result()};
  } else {
    replayed.process.pending(
        [&]<class I>(const I& issued) { parting_->issued = Issued{Exchange<I>{issued, std::nullopt}, std::nullopt}; });
  }
}

bool Replay::is_whole() const {
  return order_.unborn().empty() && std::ranges::all_of(living_, [](const auto& one) { return one.second.waits; });
}

}  // namespace antiphon
