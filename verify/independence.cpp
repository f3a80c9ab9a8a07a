#include "verify/independence.hpp"

#include <algorithm>
#include <optional>

namespace antiphon::verify {

namespace {

bool is_at_door(const world::Inhabitant& process) {
  return std::ranges::any_of(process.table, &world::Target::listener);
}

}  // namespace

Independence::Independence(StateSpace& space, const Scope& scope, const Reductions& reductions)
    : space_(space), scope_(scope), reductions_(reductions) {}

Independence::Choice Independence::choose(const Position& position, std::vector<const Outcome*>& outcomes) {
  find_present(position);
  Choice choice;
  const bool quiet = std::ranges::all_of(present_, [](const Present& one) { return one.ordinary == 0; });
  choice.at_rest =
      quiet && std::ranges::all_of(present_, [](const Present& one) { return one.prospect->ways_out.empty(); });
  best_.clear();
  if (reductions_.partial_order && !quiet) find_smallest_set(position.state());
  const std::size_t before = outcomes.size();
  const auto take = [&](bool wanted) {
    for (std::size_t number = 0; number < present_.size(); ++number) {
      const Present& one = present_[number];
      if ((best_.empty() || best_[number]) != wanted || one.outcomes == 0) continue;
      for (const Outcome& outcome : one.prospect->outcomes) outcomes.push_back(&outcome);
    }
  };
  take(true);
  if (quiet) {  // time passes
    for (const Present& one : present_) {
      for (const Outcome& outcome : one.prospect->ways_out) outcomes.push_back(&outcome);
    }
  }
  choice.needed = outcomes.size() - before;
  if (!best_.empty()) take(false);
  return choice;
}

/// The set to try in the state, by the places in `present_`; none: all of them. Something ordinary is in it: were there
/// faults only, a rest that comes without them could be missed.
void Independence::find_smallest_set(const State& state) {
  look_around(state);
  for (Present& one : present_) find_slots(one, state);
  std::pair<std::uint64_t, std::size_t> lowest{~std::uint64_t{0}, 0};
  for (std::size_t first = 0; first < present_.size(); ++first) {
    if (present_[first].ordinary == 0 || present_[first].turn > lowest.first) continue;
    if (!close_over(first, lowest.first)) continue;
    std::pair<std::uint64_t, std::size_t> cost{0, 0};
    for (const std::size_t member : members_) {
      if (present_[member].outcomes == 0) continue;
      cost.first = std::max(cost.first, present_[member].turn);
      cost.second += present_[member].outcomes;
    }
    if (cost >= lowest) continue;
    lowest = cost;
    best_ = inside_;
  }
}

void Independence::find_present(const Position& position) {
  present_.clear();
  for (std::size_t number = 0; number < position.actor_count(); ++number) {
    const Prospect* const prospect = position.prospect(number);
    if (prospect == nullptr) continue;
    const bool waits = waits_for_twin(number, position.state());
    Present& one = present_.emplace_back();
    one.who = space_.actor(number);
    one.prospect = prospect;
    one.outcomes = waits ? 0 : prospect->outcomes.size();
    one.ordinary = waits ? 0 : prospect->ordinary;
  }
}

void Independence::note_acceptors(const Position& position) {
  for (std::size_t number = 0; number < position.actor_count(); ++number) {
    const Prospect* const prospect = position.prospect(number);
    if (prospect != nullptr && prospect->at_accept) accepting_.insert(space_.actor(number).index);
  }
}

bool Independence::waits_for_twin(std::size_t actor, const State& state) const {
  const Actor& who = space_.actor(actor);
  return reductions_.symmetry && who.kind == Move::Kind::client && has_twin_before(space_, scope_, who.index, state);
}

/// Sorts the parts that are new.
void Independence::learn_places() {
  for (; places_known_ < space_.slot_count(); ++places_known_) {
    const Slot slot = places_known_;
    const StateSpace::Place place = space_.place(slot);
    switch (place.about) {
      case About::time:
        time_.set(slot);
        break;
      case About::door:
        if (place.is_listener) listeners_.set(slot);
        if (place.names_listener) listener_names_.set(slot);
        if (place.met_by_clients) door_of_clients_.set(slot);
        if (!place.counts_connections) door_of_processes_.set(slot);
        break;
      case About::connection:
        connections_.add(place.index, slot);
        break;
      case About::names:
      case About::record:
        held_.add(place.index, slot);
        break;
      case About::client:
        clients_.add(place.index, slot);
        break;
      case About::acceptance:
        acceptances_.add(place.index, slot);
        break;
      case About::process:
        processes_.add(place.index, slot);
        break;
      case About::kinship:
        kinships_.add(place.index, slot);
        break;
      case About::faults:
        faults_.set(slot);
        break;
    }
  }
}

/// What matters to several actors.
void Independence::look_around(const State& state) {
  learn_places();
  waiting_.clear();
  coming_.clear();
  acceptors_ = 0;
  queue_has_room_ = true;
  space_.for_each_listener(state, [&](const world::Listener& listener) {
    for (const world::Waiting& one : listener.queue) waiting_.push_back(one.connection);
    const auto most = std::min<std::int64_t>(listener.backlog, scope_.scenario.max_backlog);
    queue_has_room_ &= most >= static_cast<std::int64_t>(scope_.scenario.clients.size());
  });
  for (const Present& one : present_) {
    if (one.who.kind == Move::Kind::client) {
      const world::Client& client = *space_.client(one.who.index, state);
      if (client.connection == no_index && !client.done) coming_.push_back(one.who.index);
    } else if (one.who.kind == Move::Kind::process && is_at_door(*space_.process(one.who.index, state))) {
      ++acceptors_;
    }
  }
}

/// Connections have their turns one after the other: were they to take turns step by step, every pair of places would
/// be come by. Acceptors come after them, and then who is to come in.
std::uint64_t Independence::turn_of(const Actor& who, const State& state) const {
  constexpr std::uint64_t acceptors_turn = std::uint64_t{1} << 40U;
  constexpr std::uint64_t comers_turn = 2 * acceptors_turn;
  switch (who.kind) {
    case Move::Kind::arrival:
      return who.index;
    case Move::Kind::client: {
      const Index connection = space_.client(who.index, state)->connection;
      return connection == no_index ? comers_turn : connection;
    }
    case Move::Kind::stop:
      return comers_turn;
    default:
      break;
  }
  // A process that holds both is about to let go of one: an acceptor of its client, a session of the listener.
  std::optional<std::uint64_t> turn;
  for (const world::Target& held : space_.process(who.index, state)->table) {
    if (held.index != no_index && !held.listener) turn = std::max<std::uint64_t>(turn.value_or(0), held.index);
  }
  return turn.value_or(acceptors_turn);
}

void Independence::find_slots(Present& one, const State& state) {
  one.turn = turn_of(one.who, state);
  one.touches = one.prospect->touches;
  if (one.outcomes > 0) one.changes = one.prospect->changes;
  switch (one.who.kind) {
    case Move::Kind::stop:
      one.reaches = time_;
      break;
    case Move::Kind::arrival:
      one.reaches = connections_.of(one.who.index) |
                    clients_.of(space_.connection(one.who.index, state)->ends[world::opener].client);
      break;
    case Move::Kind::client:
      one.reaches = reach_of_client(one.who.index, state);
      break;
    default:
      one.reaches = reach_of_process(one.who.index, state);
      break;
  }
  check(one, state);
  one.reads = one.reaches | time_;
  if (one.who.kind == Move::Kind::process) {
    if (const auto parent = space_.waiting_parent(one.who.index, state)) one.reads |= kinships_.of(*parent);
  }
  if (!scope_.adversity.stops) {
    // As long as acceptors keep theirs, nobody else's name for a listener matters.
    one.touches &= ~listener_names_;
    one.changes &= ~listener_names_;
    // Nor whether their children are waited for: that is settled before the first Accept.
    for (const Index acceptor : accepting_) {
      if (acceptor != one.who.index) one.touches &= ~kinships_.of(acceptor);
    }
  }
  if (one.prospect->takes_client && acceptors_ == 1 && queue_has_room_ && !waiting_.empty()) {
    // To take the first of a queue and to join at its end come to the same in either order.
    one.touches &= ~listeners_;
    one.changes &= ~listeners_;
  }
}

Slots Independence::reach_of_client(Index client, const State& state) const {
  const world::Client& one = *space_.client(client, state);
  const Script& script = scope_.scenario.clients[client];
  const auto rest = script.begin() + std::min<std::ptrdiff_t>(one.at, std::ssize(script));
  const bool may_reset = scope_.adversity.resets || std::any_of(rest, script.end(), [](const auto& action) {
                           return std::holds_alternative<script::Reset>(action);
                         });
  Slots slots = clients_.of(client);
  // Once it waits to be accepted, only a reset of its own ends that from its side.
  if (one.connection == no_index || may_reset) slots |= acceptances_.of(client);
  if (one.connection != no_index) {
    slots |= connections_.of(one.connection);
  } else if (!one.done) {
    slots |= door_of_clients_;
  }
  return slots;
}

Slots Independence::reach_of_process(Index process, const State& state) const {
  Slots slots = processes_.of(process) | kinships_.of(process) | faults_;
  const auto add_connection = [&](Index connection) {
    slots |= connections_.of(connection) | held_.of(connection);
    const world::Connection* const there = space_.connection(connection, state);
    const Index client = there == nullptr ? no_index : there->ends[world::opener].client;
    if (client != no_index) slots |= clients_.of(client) | acceptances_.of(client);
  };
  const world::Inhabitant& one = *space_.process(process, state);
  for (const world::Target& held : one.table) {
    if (held.index != no_index && !held.listener) add_connection(held.index);
  }
  if (!is_at_door(one)) return slots;
  slots |= door_of_processes_;
  for (const Index connection : waiting_) add_connection(connection);
  for (const Index client : coming_) slots |= clients_.of(client) | acceptances_.of(client);
  return slots;
}

/// What an actor does that it was not thought to do.
void Independence::check(const Present& one, const State& state) {
  if ((one.prospect->overwrites & ~one.reaches).any()) mistake_ = "somebody reaches what it does not hold";
  if (one.who.kind != Move::Kind::process) return;
  const Prospect& prospect = *one.prospect;
  if ((prospect.forks || prospect.makes_sockets) && one.who.index != 0 &&
      !is_at_door(*space_.process(one.who.index, state))) {
    mistake_ = "a session makes processes or sockets";
  }
  if (prospect.at_accept) accepting_.insert(one.who.index);
  // A Fork gives its child a name too; if it fails, what follows may let go of them.
  const Slots& overwrites = prospect.forks ? prospect.overwrites_by_faults : prospect.overwrites;
  if (!scope_.adversity.stops && accepting_.contains(one.who.index)) {
    if ((overwrites & listener_names_).any()) mistake_ = "an acceptor lets go of its listener";
    if ((overwrites & kinships_.of(one.who.index)).any())
      mistake_ = "an acceptor leaves its children alone once it accepts";
  }
  if (prospect.counts_kin) mistake_ = "the number of processes is limited";
  if (space_.listeners_made() > 1) mistake_ = "there is more than one listener";
}

/// The smallest set of actors with the first that nobody outside can ever meet. False: somebody in it has a later turn
/// than `latest`.
bool Independence::close_over(std::size_t first, std::uint64_t latest) {
  inside_.assign(present_.size(), false);
  inside_[first] = true;
  members_.assign(1, first);
  for (std::size_t at = 0; at < members_.size(); ++at) {
    const Present& member = present_[members_[at]];
    for (std::size_t other = 0; other < present_.size(); ++other) {
      if (inside_[other]) continue;
      const Present& one = present_[other];
      if ((member.touches & one.reaches).none() && (member.changes & one.reads).none()) continue;
      if (one.outcomes > 0 && one.turn > latest) return false;
      inside_[other] = true;
      members_.push_back(other);
    }
  }
  return true;
}

bool has_twin_before(const StateSpace& space, const Scope& scope, Index client, const State& state) {
  const auto untouched = [&](Index index) {
    const world::Client* const one = space.client(index, state);
    return one->at == 0 && !one->asked && !one->done;
  };
  const std::vector<Script>& scripts = scope.scenario.clients;
  if (!untouched(client)) return false;
  for (Index other = 0; other < client; ++other) {
    const bool is_alike =
        scripts[other] == scripts[client] && address_of(scope.scenario, other) == address_of(scope.scenario, client);
    if (is_alike && untouched(other)) return true;
  }
  return false;
}

}  // namespace antiphon::verify
