#include "verify/retrace_attempt.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <variant>

#include "interpreters/responses.hpp"
#include "verify/modulo_names.hpp"

namespace antiphon::verify {

namespace {

using Side = SteeredWorld::Side;

/// Whether the error says something about the program or its peer. What else there is comes of the world around them,
/// and may come at any time.
bool tells_of_state(Errno error) {
  using enum Errno;
  static constexpr std::array state{BADF, FAULT,   INVAL,     NOTSOCK, DESTADDRREQ, MSGSIZE,    OPNOTSUPP,
                                    PIPE, NOTCONN, CONNRESET, ISCONN,  ALREADY,     CONNREFUSED};
  return std::ranges::find(state, error) != state.end();
}

/// Whether a scenario can have the answer as a fault.
bool can_be_a_fault(const AnyExchange<Net>& exchange) {
  const auto error = error_of(exchange);
  if (!error || tells_of_state(*error)) return false;
  return std::visit(
      [&]<class I>(const Exchange<I>&) {
        if (fault_place(I::name) == faulty_instructions.size()) return false;
        const auto possible = errors_of<I>();
        return std::ranges::find(possible, *error) != possible.end();
      },
      exchange);
}

}  // namespace

Attempt::Attempt(const Server& server, const RecordedRun& run, const Manner& manner)
    : run_(run), manner_(manner), world_(server, run.accepted(), manner.capacity, run.addresses()) {
  Follower& first = followers_[0];
  first.lines = &run_.of(0);
  for (const ProcessEvent& event : world_.take_events()) see(first, event);
}

// -- In which order ---------------------------------------------------------------------------------------------------

void Attempt::go() {
  for (const ProcessEvent& event : run_.record()) {
    ++released_[event.process];
    if (advance(event.process)) advance_others();
  }
  while (help_out()) advance_others();
}

/// The process goes on as far as the record has it. False: not at all.
bool Attempt::advance(ProcessId process) {
  const auto found = followers_.find(process);
  if (found == followers_.end()) return false;  // not born yet
  Follower& follower = found->second;
  const std::uint64_t before = follower.next;
  const std::uint64_t released = released_[process];
  while (follower.next < released && step(process, follower)) {
    ++follower.next;
    ++events_;
  }
  if (before < released) stuck_.erase((*follower.lines)[before].position);
  if (follower.next < released) stuck_.emplace((*follower.lines)[follower.next].position, process);
  return follower.next != before;
}

void Attempt::advance_others() {
  for (bool any = !stuck_.empty(); any;) {
    any = false;
    const auto stuck = stuck_;
    for (const auto& one : stuck) any |= advance(one.second);
  }
}

/// Nobody can go on: a client that is waited for comes, or the stop. False: that is no help.
bool Attempt::help_out() {
  for (bool* const help : {&lets_clients_in_, &lets_stop_}) {
    *help = true;
    const auto stuck = stuck_;
    const bool any = std::ranges::any_of(stuck, [&](const auto& one) { return advance(one.second); });
    *help = false;
    if (any) return true;
  }
  return false;
}

/// What happened to the process without its doing: it was born, or its program is over.
void Attempt::see(Follower& follower, const ProcessEvent& event) {
  if (const auto* const ended = std::get_if<Ended>(&event.what)) {
    follower.ended = ended->result;
  } else {
    follower.birth = std::get<Issued>(event.what).exchange;
  }
}

// -- One event --------------------------------------------------------------------------------------------------------

/// Makes happen what was recorded next. False: that cannot be, and nothing has changed.
bool Attempt::step(ProcessId process, Follower& follower) {
  const auto& what = (*follower.lines)[follower.next].event->what;
  if (const auto* const ended = std::get_if<Ended>(&what)) return has_ended(follower, ended->result);
  const auto& recorded = std::get<Issued>(what);
  if (follower.birth) {
    if (!same_exchange(recorded.exchange, *follower.birth, Operands::all)) {
      return parts(recorded.exchange, "a process begins with what Fork answers to it");
    }
    follower.birth.reset();
    return true;
  }
  if (follower.ended) return parts(recorded.exchange, "the program has ended there");
  const AnyExchange<Net> pending = unanswered(*world_.world().processes()[follower.index].process);
  if (!same_instruction(recorded.exchange, pending, Operands::all)) {
    const std::string issued = instruction_text(pending);
    const bool is_alike = issued == instruction_text(recorded.exchange);
    return parts(recorded.exchange, "the program issues " + (is_alike ? "it with other operands" : issued + " there"));
  }
  if (!is_answered(recorded.exchange)) return true;
  if (recorded.child && followers_.contains(*recorded.child)) {
    return parts(recorded.exchange, "process " + std::to_string(*recorded.child) + " was there before");
  }
  if (waits_for_help(follower, recorded.exchange)) return false;
  return happens(process, follower, recorded, false) ||
         (can_be_a_fault(recorded.exchange) && happens(process, follower, recorded, true));
}

bool Attempt::has_ended(const Follower& follower, const Result<Unit>& recorded) {
  if (!follower.birth && follower.ended == recorded) return true;
  if (!is_explaining_) return false;
  const auto text = [](const Result<Unit>& end) {
    return end ? std::string("ends") : "ends with " + name_of(end.error());
  };
  why_ = "the process " + text(recorded) + "; in the simulated network it ";
  why_ += follower.ended
              ? text(*follower.ended)
              : "goes on with " + instruction_text(unanswered(*world_.world().processes()[follower.index].process));
  return false;
}

/// Whether it is not to be tried before nobody can go on without help.
bool Attempt::waits_for_help(const Follower& follower, const AnyExchange<Net>& exchange) const {
  if (!manner_.late || is_explaining_) return false;
  const auto* const accept = std::get_if<Exchange<Accept>>(&exchange);
  if (accept != nullptr && *accept->response && run_.has_connects() && !lets_clients_in_) {
    return !world_.world().can_answer(follower.index);
  }
  return error_of(exchange) == Errno::STOPPING && !world_.world().stopped() && !lets_stop_;
}

/// Tries it. Where something else comes out, the world goes back.
bool Attempt::happens(ProcessId process, Follower& follower, const Issued& recorded, bool as_fault) {
  SteeredWorld::Mark mark = world_.mark();
  std::optional<std::size_t> amount;
  std::optional<Move> move;
  if (as_fault) {
    move = Move{Move::Kind::fault, follower.index, 0, *error_of(recorded.exchange)};
  } else {
    amount = prepare(process, follower, recorded.exchange);
    move = move_of(follower, recorded.exchange);
  }
  if (move) {
    world_.answer(*move, amount);
    if (comes_out(follower, recorded)) return true;
  } else {
    parts(recorded.exchange, "in the simulated network it waits");
  }
  world_.back_to(std::move(mark));
  return false;
}

std::optional<std::size_t> Attempt::prepare(ProcessId process, const Follower& follower,
                                            const AnyExchange<Net>& exchange) {
  const auto error = error_of(exchange);
  if (error == Errno::STOPPING && !world_.world().stopped()) world_.stop();
  if (error == Errno::EXPIRED || error == Errno::STOPPING) note_room(follower, exchange);
  const Future future{[&](Side side) { return to_come(side, {}); }, [&](Side side) { return to_come(side, process); }};
  return lead(world_, follower.index, exchange, future);
}

std::optional<Move> Attempt::move_of(const Follower& follower, const AnyExchange<Net>& exchange) const {
  if (world_.world().can_answer(follower.index)) return Move{Move::Kind::process, follower.index};
  const auto* const sleep = std::get_if<Exchange<Sleep>>(&exchange);
  const bool has_slept = sleep != nullptr && *sleep->response;
  const auto way_out = has_slept ? Errno::EXPIRED : error_of(exchange);
  const std::vector<Errno> ways = world_.world().ways_out(follower.index);
  if (!way_out || std::ranges::find(ways, *way_out) == ways.end()) return std::nullopt;
  return Move{Move::Kind::overdue, follower.index, 0, *way_out};
}

/// Whether the world answered as it was recorded.
bool Attempt::comes_out(Follower& follower, const Issued& recorded) {
  const std::vector<ProcessEvent> events = world_.take_events();
  // The clients' moves that came before have none.
  const auto& simulated = std::get<Issued>(events.front().what);
  if (!same_exchange(recorded.exchange, simulated.exchange, Operands::all)) {
    const auto* const fork = std::get_if<Exchange<Fork>>(&simulated.exchange);
    hangs_on_addresses_ |= is_explaining_ && fork != nullptr && fork->instruction.at_most_alike != unlimited &&
                           error_of(simulated.exchange) == Errno::AGAIN;
    return parts(recorded.exchange, "in the simulated network it is answered with " + answer_text(simulated.exchange));
  }
  for (const ProcessEvent& event : std::span(events).subspan(1)) {
    if (event.process == follower.index) {
      see(follower, event);
      continue;
    }
    Follower& child = followers_[*recorded.child];
    child.lines = &run_.of(*recorded.child);
    child.index = static_cast<Index>(event.process);
    see(child, event);
    if (released_[*recorded.child] > 0) stuck_.emplace(child.lines->front().position, *recorded.child);
  }
  return true;
}

/// A Send that waited found no room. Then no more fits than what its peer had not read.
void Attempt::note_room(const Follower& follower, const AnyExchange<Net>& exchange) {
  const auto* const send = std::get_if<Exchange<Send>>(&exchange);
  const auto side = send == nullptr ? std::nullopt : world_.side_of(follower.index, send->instruction.to);
  if (!side) return;
  const std::size_t held = world_.held(*side);
  if (held == 0 || held >= manner_.capacity || held < run_.largest()) return;
  narrower_ = std::min(narrower_.value_or(manner_.capacity), static_cast<std::uint32_t>(held));
}

/// To all who hold the side but one.
ToCome Attempt::to_come(Side side, std::optional<ProcessId> without) const {
  ToCome all;
  for (const auto& [process, follower] : followers_) {
    if (follower.ended || process == without) continue;
    const std::size_t names = world_.world().processes()[follower.index].table.size();
    for (std::size_t name = 0; name < names; ++name) {
      const Socket socket{static_cast<int>(name)};
      if (world_.side_of(follower.index, socket) == side) all.add(run_.to_come(process, follower.next, socket));
    }
  }
  return all;
}

// -- What parts -------------------------------------------------------------------------------------------------------

/// Always false.
bool Attempt::parts(const AnyExchange<Net>& recorded, const std::string& otherwise) {
  if (is_explaining_ && why_.empty()) {
    why_ = instruction_text(recorded) + " was answered with " + answer_text(recorded) + "; " + otherwise;
  }
  return false;
}

SimulatorParting Attempt::parting() {
  const ProcessId process = stuck_.begin()->second;
  Follower& follower = followers_.at(process);
  is_explaining_ = true;
  step(process, follower);
  return {{process, follower.next}, why_};
}

}  // namespace antiphon::verify
