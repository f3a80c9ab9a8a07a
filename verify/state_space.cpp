#include "verify/state_space.hpp"

#include <algorithm>

#include "verify/footing.hpp"
#include "verify/observation.hpp"

namespace antiphon::verify {

bool is_ordinary(const Move& move) {
  return move.kind != Move::Kind::fault && move.kind != Move::Kind::stop &&
         !(move.kind == Move::Kind::client && move.end == way_resets);
}

namespace {

/// Whether the client did nothing for it.
bool comes_to_client(ClientEvent::Kind kind) {
  switch (kind) {
    case ClientEvent::Kind::accepted:
    case ClientEvent::Kind::refused:
    case ClientEvent::Kind::received:
    case ClientEvent::Kind::received_end:
    case ClientEvent::Kind::met_reset:
      return true;
    default:
      return false;
  }
}

}  // namespace

/// Walks through all amounts that a step can be cut short by, one after the other.
class StateSpace::Amounts : public Shortfalls {
 public:
  std::uint32_t shortfall(std::uint32_t count) override {
    if (count <= 1) return 0;
    if (used_ == taken_.size()) {
      taken_.push_back(0);
      counts_.push_back(count);
    }
    return taken_[used_++];
  }
  void begin_step() { used_ = 0; }
  void begin_all() {
    taken_.clear();
    counts_.clear();
  }
  /// To the next amounts; false: that were all.
  bool next() {
    while (!taken_.empty() && taken_.back() + 1 == counts_.back()) {
      taken_.pop_back();
      counts_.pop_back();
    }
    if (taken_.empty()) return false;
    ++taken_.back();
    return true;
  }
  [[nodiscard]] const std::vector<std::uint32_t>& taken() const { return taken_; }

 private:
  std::vector<std::uint32_t> taken_;
  std::vector<std::uint32_t> counts_;
  std::size_t used_ = 0;
};

class StateSpace::Observing : public AnyWatcher {
 public:
  explicit Observing(Observer& observer) : observer_(observer) {}
  void see(const Event& event, Report&) override { observer_.see(event); }
  void at_end(Report&) const override {}
  void while_endless(Report&) const override {}
  void add_kinds_to(StateSpace&) override {}
  std::uint32_t observed() override { return observer_.take(); }

 private:
  Observer& observer_;
};

StateSpace::StateSpace(const Server& server, const Scenario& scenario, const Adversity& adversity, Observer& observer)
    : StateSpace(scenario, adversity, std::make_unique<Observing>(observer)) {
  begin(server);
}

StateSpace::StateSpace(const Scenario& scenario, const Adversity& adversity, std::unique_ptr<AnyWatcher> watcher)
    : scenario_(left_open(scenario)),
      adversity_(adversity),
      watcher_(std::move(watcher)),
      amounts_(std::make_unique<Amounts>()) {}

StateSpace::~StateSpace() = default;

void StateSpace::begin(const Server& server) {
  world_ = std::make_unique<World>(server, scenario_, *amounts_, [this](const Event& event) { see(event); });
  faults_left_.put(0, FaultsLeft{adversity_.most_counted});
  world_->for_each_kind([&](auto& parts) { add_kind(parts); });
  add_kind(faults_left_);
  watcher_->add_kinds_to(*this);
  first_breaches_ = report_.breaches();
  first_observed_ = watcher_->observed();
  // Whatever is there has a slot from the beginning.
  for (std::uint32_t kind = 0; kind < kinds_.size(); ++kind) {
    for (const PartKey key : kinds_[kind]->keys()) slot_of({kind, key});
  }
  if (adversity_.stops) actors_.push_back({{Move::Kind::stop, 0, 0}, slot_of({of_time, 0}), {}});
  for (Slot slot = 0; slot < slot_count(); ++slot) {
    first_.parts[slot] = kinds_[places_[slot].kind]->number_of(places_[slot].key);
    first_.fingerprint += term(slot, first_.parts[slot]);
  }
  loaded_ = first_;
}

void StateSpace::see(const Event& event) {
  watcher_->see(event, report_);
  const auto* const of_client = std::get_if<ClientEvent>(&event);
  if (of_client != nullptr && comes_to_client(of_client->kind))
    told_ |= std::uint32_t{1} << (of_client->client - 1) % 32;
}

// -- parts and slots -------------------------------------------------------------------------------------------------

Slot StateSpace::slot_of(Footprint::Place place) {
  auto& of_kind = slots_[place.kind];
  const auto found = std::ranges::find(of_kind, place.key, [](const auto& known) { return known.first; });
  if (found != of_kind.end()) return found->second;
  if (places_.size() == State::most_parts) {
    overflowed_ = true;
    return State::most_parts - 1;
  }
  const auto slot = static_cast<Slot>(places_.size());
  places_.push_back(place);
  of_kind.emplace_back(place.key, slot);
  abouts_.push_back(about(place));
  terms_.emplace_back(1);
  add_actors_of(place, slot);
  return slot;
}

void StateSpace::add_actors_of(Footprint::Place place, Slot slot) {
  const auto index = static_cast<Index>(place.key);
  if (place.kind == of_connections) {
    for (const Index end : {world::opener, world::acceptee}) {
      actors_.push_back({{Move::Kind::arrival, index, end}, slot, {}});
    }
  } else if (place.kind == of_processes) {
    actors_.push_back({{Move::Kind::process, index, 0}, slot, {}});
  } else if (place.kind == of_clients) {
    actors_.push_back({{Move::Kind::client, index, 0}, slot, {}});
  }
}

StateSpace::Place StateSpace::about(Footprint::Place place) const {
  const About about = kinds_[place.kind]->about();
  auto index = static_cast<Index>(place.key);
  if (place.kind == of_names) index /= 2;  // two sides
  // In a trace the clients are counted from 1.
  if ((about == About::client && place.kind != of_clients) || about == About::acceptance) --index;
  const bool of_clients_too =
      place.kind == of_counts && (place.key == World::connections_made || place.key == World::has_listened);
  return {about,
          index,
          place.kind == of_listeners,
          place.kind == of_listener_names,
          place.kind == of_listeners || of_clients_too,
          place.kind == of_counts && place.key == World::connections_made};
}

/// What the part adds to a state's fingerprint.
const Fingerprint& StateSpace::term(Slot slot, PartId part) {
  auto& terms = terms_[slot];
  if (part >= terms.size()) terms.resize(part + 1);
  Fingerprint& term = terms[part];
  if (part != 0 && term == Fingerprint{}) {
    const Digest value = kinds_[places_[slot].kind]->digest_of(part);
    Digest digest(places_[slot].kind);
    for (const std::uint64_t word : {places_[slot].key, value.low(), value.high(), std::uint64_t{0}}) {
      digest.add_word(word);
    }
    term = {digest.low(), digest.high()};
  }
  return term;
}

void StateSpace::load(const State& state) {
  for (Slot slot = 0; slot < slot_count(); ++slot) {
    if (loaded_.parts[slot] == state.parts[slot]) continue;
    kinds_[places_[slot].kind]->restore(places_[slot].key, state.parts[slot]);
  }
  loaded_ = state;
}

void StateSpace::watch(bool on) {
  for (std::uint32_t kind = 0; kind < kinds_.size(); ++kind) kinds_[kind]->watch(on ? &footprint_ : nullptr, kind);
}

// -- what can happen -------------------------------------------------------------------------------------------------

const Prospect* StateSpace::prospect(std::size_t actor, const State& state) {
  const KnownActor& one = actors_[actor];
  const PartId own = state.parts[one.own];
  if (own == 0) return nullptr;
  if (own < one.of_part.size() && one.of_part[own] != nullptr) {
    const Footing& footing = *one.of_part[own];
    if (footing.kinds.empty() || footing.slots_known == places_.size()) {
      if (const Prospect* const known = footing.find(state)) return known;
    }
  }
  return &find_out(actor, state);
}

Slots StateSpace::slots_of(const std::vector<Footprint::Place>& places) {
  Slots slots;
  for (const Footprint::Place& place : places) {
    if (place.key != all_parts) {
      slots.set(slot_of(place));
    } else {
      for (const auto& [key, slot] : slots_[place.kind]) slots.set(slot);
    }
  }
  return slots;
}

/// What the instruction that the process is at is to a reduction.
void StateSpace::note_instruction(const Actor& actor, Prospect& prospect, const State& state) const {
  if (actor.kind != Move::Kind::process) return;
  const world::Inhabitant* const one = process(actor.index, state);
  one->process->pending([&]<class I>(const I&) {
    prospect.at_accept = std::same_as<I, Accept>;
    prospect.takes_client = prospect.at_accept && !prospect.outcomes.empty();
    prospect.forks = std::same_as<I, Fork>;
    prospect.makes_sockets = std::same_as<I, OpenSocket> || std::same_as<I, Connect>;
    prospect.sleeps = std::same_as<I, Sleep>;
  });
  prospect.counts_kin = prospect.forks && (prospect.whole_kinds & (std::uint64_t{1} << of_kinship)) != 0;
}

void StateSpace::spread_over_kinds(Footing& footing) {
  for (const std::uint32_t kind : footing.kinds) {
    for (const auto& [key, slot] : slots_[kind]) {
      if (std::ranges::find(footing.slots, slot) == footing.slots.end()) footing.slots.push_back(slot);
    }
  }
  footing.slots_known = places_.size();
}

std::uint64_t StateSpace::bytes() const {
  std::uint64_t bytes = bytes_;
  for (const auto& kind : kinds_) bytes += kind->bytes();
  return bytes;
}

const Prospect& StateSpace::find_out(std::size_t actor, const State& state) {
  static const Prospect none;
  if (overflowed_) return none;  // nothing more is explored
  auto known = std::make_unique<Prospect>();
  footprint_.clear();
  load(state);
  watch(true);
  std::vector<Move> moves;
  std::vector<Move> ways_out;
  moves_of(actors_[actor].who, moves, ways_out);
  watch(false);
  run_all(moves, state, known->outcomes);
  run_all(ways_out, state, known->ways_out);

  const auto reads = footprint_.reads();
  for (const Footprint::Place& place : reads) {
    if (place.key != all_parts) slot_of(place);
  }
  KnownActor& one = actors_[actor];  // (more may have come)
  const PartId own = state.parts[one.own];
  if (own >= one.of_part.size()) one.of_part.resize(own + 1);
  if (one.of_part[own] == nullptr) {
    one.of_part[own] = std::make_unique<Footing>();
    one.of_part[own]->slots.push_back(one.own);
  }
  Footing& footing = *one.of_part[own];
  const std::size_t before = footing.slots.size();
  for (const Footprint::Place& place : reads) {
    if (place.key == all_parts) {
      if (std::ranges::find(footing.kinds, place.kind) == footing.kinds.end()) footing.kinds.push_back(place.kind);
    } else if (const Slot slot = slot_of(place); std::ranges::find(footing.slots, slot) == footing.slots.end()) {
      footing.slots.push_back(slot);
    }
  }
  spread_over_kinds(footing);
  known->touches = slots_of(reads);
  for (auto* const outcomes : {&known->outcomes, &known->ways_out}) {
    for (Outcome& outcome : *outcomes) outcome.actor = static_cast<std::uint16_t>(actor);
  }
  for (const Footprint::Place& place : reads) {
    if (place.key == all_parts) known->whole_kinds |= std::uint64_t{1} << place.kind;
  }
  for (const Outcome& outcome : known->outcomes) {
    if (is_ordinary(outcome.move)) ++known->ordinary;
    for (const Outcome::Change& change : outcome.changes) {
      known->changes.set(change.slot);
      if (state.parts[change.slot] == 0) continue;
      known->overwrites.set(change.slot);
      if (outcome.move.kind == Move::Kind::fault) known->overwrites_by_faults.set(change.slot);
    }
    bytes_ += sizeof(Outcome) + outcome.changes.size() * sizeof(Outcome::Change);
  }
  note_instruction(one.who, *known, state);
  bytes_ += sizeof(Prospect) + footing.slots.size() * sizeof(PartId) * 4;
  if (footing.slots.size() != before) footing.forget();
  return footing.put(state, std::move(known));
}

void StateSpace::moves_of(const Actor& actor, std::vector<Move>& moves, std::vector<Move>& ways_out) const {
  switch (actor.kind) {
    case Move::Kind::arrival:
      if (world_->can_arrive(actor.index, actor.end)) moves.push_back({actor.kind, actor.index, actor.end});
      return;
    case Move::Kind::client:
      if (world_->can_act(actor.index)) moves.push_back({actor.kind, actor.index, way_on});
      if (world_->can_pass(actor.index)) moves.push_back({actor.kind, actor.index, way_past});
      if (adversity_.resets && world_->is_connected(actor.index)) {
        moves.push_back({actor.kind, actor.index, way_resets});
      }
      return;
    case Move::Kind::stop:
      if (!world_->stopped()) moves.push_back({actor.kind});
      return;
    default:
      break;
  }
  if (world_->can_answer(actor.index)) moves.push_back({Move::Kind::process, actor.index});
  for (const Errno way : world_->ways_out(actor.index)) {
    (adversity_.impatience ? moves : ways_out).push_back({Move::Kind::overdue, actor.index, 0, way});
  }
  world_->processes()[actor.index].process->pending([&]<class I>(const I&) {
    for (const PossibleFault& fault : adversity_.faults) {
      if (fault.instruction != fault_place(I::name)) continue;
      if (fault.counted && faults_left_[0].count == 0) continue;
      moves.push_back({Move::Kind::fault, actor.index, 0, fault.error});
    }
  });
}

/// Whether the move is a fault of which there are only so many.
bool StateSpace::is_counted(const Move& move) const {
  bool is = false;
  if (move.kind != Move::Kind::fault) return is;
  world_->processes()[move.index].process->pending([&]<class I>(const I&) {
    is = std::ranges::any_of(adversity_.faults, [&](const PossibleFault& fault) {
      return fault.counted && fault.instruction == fault_place(I::name) && fault.error == move.error;
    });
  });
  return is;
}

void StateSpace::run_all(const std::vector<Move>& moves, const State& state, std::vector<Outcome>& outcomes) {
  for (const Move& move : moves) {
    amounts_->begin_all();
    do {
      load(state);
      Outcome outcome;
      outcome.move = move;
      if (!run_one(move, outcome)) return;
      outcomes.push_back(std::move(outcome));
    } while (amounts_->next());
  }
}

/// Makes the move in the state that is loaded. False: the state became too large.
bool StateSpace::run_one(const Move& move, Outcome& outcome) {
  ++steps_run_;
  amounts_->begin_step();
  report_ = Report();
  told_ = 0;
  footprint_.forget_writes();
  watch(true);
  if (is_counted(move)) --faults_left_.edit(0).count;
  world_->make(move);
  watch(false);
  outcome.shortfalls = amounts_->taken();
  outcome.breaches = report_.breaches();
  outcome.told = told_;
  outcome.observed = watcher_->observed();
  for (const Footprint::Place& place : footprint_.writes()) {
    const Slot slot = slot_of(place);
    const PartId part = kinds_[place.kind]->number_of(place.key);
    if (overflowed_) return false;
    if (part == loaded_.parts[slot]) continue;
    outcome.changes.push_back({slot, part});
    outcome.changed.set(slot);
    outcome.kinds |= kinds_of(slot);
    outcome.difference += term(slot, part);
    outcome.difference -= term(slot, loaded_.parts[slot]);
    loaded_.parts[slot] = part;
  }
  return true;
}

State StateSpace::after(const State& state, const Outcome& outcome) {
  State next = state;
  for (const Outcome::Change& change : outcome.changes) next.parts[change.slot] = change.part;
  next.fingerprint += outcome.difference;
  return next;
}

std::vector<Breach> StateSpace::breaches_at_rest(const State& state) {
  load(state);
  footprint_.clear();
  report_ = Report();
  watch(true);
  world_->record_pending();
  watcher_->at_end(report_);
  watch(false);
  for (const Footprint::Place& place : footprint_.writes()) {
    kinds_[place.kind]->restore(place.key, state.parts[slot_of(place)]);
  }
  return report_.breaches();
}

std::vector<Breach> StateSpace::breaches_while_endless(const State& state) {
  load(state);
  Report report;
  watcher_->while_endless(report);
  return report.breaches();
}

// -- for reductions --------------------------------------------------------------------------------------------------

template <class T>
const T* StateSpace::value_at(KindNumber kind, Index index, const State& state) const {
  const auto& slots = slots_[kind];
  const auto found = std::ranges::find(slots, PartKey{index}, [](const auto& known) { return known.first; });
  return found == slots.end() ? nullptr : value<T>(kind, found->second, state);
}

const world::Inhabitant* StateSpace::process(Index index, const State& state) const {
  return value_at<world::Inhabitant>(of_processes, index, state);
}
const world::Connection* StateSpace::connection(Index index, const State& state) const {
  return value_at<world::Connection>(of_connections, index, state);
}
const world::Client* StateSpace::client(Index index, const State& state) const {
  return value_at<world::Client>(of_clients, index, state);
}

std::optional<Index> StateSpace::waiting_parent(Index process, const State& state) const {
  const auto* const kin = value_at<world::Kinship>(of_kinship, process, state);
  if (kin == nullptr || kin->parent == no_index) return std::nullopt;
  const auto* const parent = value_at<world::Kinship>(of_kinship, kin->parent, state);
  return parent == nullptr || parent->ended || parent->discards ? std::nullopt : std::optional(kin->parent);
}

}  // namespace antiphon::verify
