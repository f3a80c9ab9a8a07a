#include "interpreters/replay.hpp"

#include <algorithm>
#include <concepts>
#include <utility>

namespace antiphon {

namespace {

/// Whether the process stands at that very instruction.
bool stands_at(const Process<Net, Result<Unit>>& process, const AnyExchange<Net>& recorded) {
  if (process.finished()) return false;
  bool is_same = false;
  std::visit(
      [&]<class I>(const Exchange<I>& exchange) {
        process.pending([&]<class J>(const J& issued) {
          if constexpr (std::same_as<I, J>) is_same = issued == exchange.instruction;
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
      event, [&](ProcessId process) { return parting_ || living_.contains(process); },
      [&](const Event& next) -> std::optional<ProcessId> {
        const auto* const of_process = std::get_if<ProcessEvent>(&next);
        return of_process == nullptr || parting_ ? std::nullopt : take(*of_process);
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
        if (exchange.response) process.template answer<I>(*exchange.response);
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
