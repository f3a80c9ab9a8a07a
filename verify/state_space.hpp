#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "interpreters/world.hpp"
#include "verify/scope.hpp"
#include "verify/watcher.hpp"

/// The states of a server's program in a simulated world, and what leads from one to the next.
///
/// A state is a row of numbers: one for each part of the world (a process, a connection, a client, …) and of the
/// contract's witness. Each stands for a value of that part, known by a 128-bit digest. What can happen to an actor
/// depends on a few of the parts, and the program is run to find out which, and what comes of it. That is kept: the
/// next state in which those parts are the same costs a look into a table. So the program itself is explored, and no
/// step of it is computed twice, but for the few after which an actor turns out to depend on more than was known.

namespace antiphon::verify {

using PartId = std::uint32_t;  ///< 0: the part is not there.
using Slot = std::uint16_t;

/// 128 bits that tell states apart: a sum over the parts, so a step changes it by what it changes of them.
struct Fingerprint {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  bool operator==(const Fingerprint&) const = default;
  Fingerprint& operator+=(const Fingerprint& other) {
    low += other.low;
    high += other.high;
    return *this;
  }
  Fingerprint& operator-=(const Fingerprint& other) {
    low -= other.low;
    high -= other.high;
    return *this;
  }
  friend Fingerprint operator+(Fingerprint left, const Fingerprint& right) { return left += right; }
};

struct State {
  static constexpr std::size_t most_parts = 192;
  std::array<PartId, most_parts> parts{};
  Fingerprint fingerprint;
};

struct FaultsLeft {
  static constexpr About about = About::faults;

  std::uint32_t count = 0;

  static constexpr std::tuple fields{Field{"count", &FaultsLeft::count}};
};

/// A set of parts.
using Slots = std::bitset<State::most_parts>;

/// One thing that an actor can do, and what comes of it.
struct Outcome {
  struct Change {
    Slot slot;
    PartId part;
  };
  Move move;
  std::vector<std::uint32_t> shortfalls;  ///< What was answered when an amount could fall short, in order.
  std::vector<Change> changes;
  Slots changed;            ///< The slots of the changes,
  std::uint64_t kinds = 0;  ///< and the kinds of their parts, a bit each.
  Fingerprint difference;
  std::vector<Breach> breaches;
  std::uint16_t actor = 0;     ///< Whose it is.
  std::uint32_t told = 0;      ///< The clients to whom something comes of it, a bit each.
  std::uint32_t observed = 0;  ///< What an observer saw of it; 0: nothing.
};

/// Whether it would come about by itself: what adversity brings need not.
bool is_ordinary(const Move& move);

/// Who can do something: a connection (something arrives at one of its sides), a process, a client, the operator.
struct Actor {
  Move::Kind kind;
  Index index;
  Index end;
};

/// What an actor can do in a state.
struct Prospect {
  std::vector<Outcome> outcomes;
  std::size_t ordinary = 0;       ///< The first so many of them come by themselves, without faults, stops or resets.
  std::vector<Outcome> ways_out;  ///< By deadlines that pass, unless they may do so at any step: then they are above.
  Slots touches;                  ///< What all that depends on.
  std::uint64_t whole_kinds = 0;  ///< Kinds of which it depends on all parts, also on those to come; a bit each.
  Slots changes;                  ///< What the outcomes change.
  Slots overwrites;               ///< The same, but for what was not there.
  bool at_accept = false;
  bool takes_client = false;  ///< It is an acceptor at an Accept.
  bool forks = false;
  Slots overwrites_by_faults;  ///< What those of the outcomes overwrite that are faults.
  bool counts_kin = false;     ///< It forks, and who else has ended may matter.
  bool makes_sockets = false;
  bool sleeps = false;
};

class Observer;

struct Footing;

class StateSpace {
 public:
  /// Of the scenario its clients and limits count; what happens when is what is explored. The adversity must live as
  /// long as the space.
  template <Contract C>
  StateSpace(const Server& server, const Scenario& scenario, const Adversity& adversity, C contract)
      : StateSpace(scenario, adversity, std::make_unique<Watching<C>>(std::move(contract))) {
    begin(server);
  }
  /// Observed, not judged: there is no witness in its states. The observer must live as long as the space.
  StateSpace(const Server& server, const Scenario& scenario, const Adversity& adversity, Observer& observer);
  ~StateSpace();
  StateSpace(const StateSpace&) = delete;
  StateSpace& operator=(const StateSpace&) = delete;

  [[nodiscard]] const State& first() const { return first_; }
  /// What was broken before anything could happen.
  [[nodiscard]] const std::vector<Breach>& breaches_at_first() const { return first_breaches_; }
  /// What was observed by then; 0: nothing.
  [[nodiscard]] std::uint32_t observed_at_first() const { return first_observed_; }

  /// The actors that were met so far, by number.
  [[nodiscard]] std::size_t actor_count() const { return actors_.size(); }
  [[nodiscard]] const Actor& actor(std::size_t number) const { return actors_[number].who; }

  /// What the actor can do in the state; null if it is not there: a process that has ended, a client to come.
  [[nodiscard]] const Prospect* prospect(std::size_t actor, const State& state);
  /// The actor is there if this part is.
  [[nodiscard]] Slot own_slot(std::size_t actor) const { return actors_[actor].own; }
  /// A bit for the kind of the part.
  [[nodiscard]] std::uint64_t kinds_of(Slot slot) const { return std::uint64_t{1} << places_[slot].kind; }

  static State after(const State& state, const Outcome& outcome);

  /// What is broken when the state is one in which nothing can happen any more.
  [[nodiscard]] std::vector<Breach> breaches_at_rest(const State& state);

  /// What is wrong if the run goes on for ever and this stays so.
  [[nodiscard]] std::vector<Breach> breaches_while_endless(const State& state);

  /// How often the program looked at the content of a message.
  [[nodiscard]] std::uint64_t looks() const { return world_->looks(); }
  /// A client could not send what it may, since too much was unanswered.
  [[nodiscard]] bool held_back() const { return world_->held_back(); }
  /// Steps of the program that were run, not looked up.
  [[nodiscard]] std::uint64_t steps_run() const { return steps_run_; }
  /// Memory for what is looked up, about.
  [[nodiscard]] std::uint64_t bytes() const;
  /// A state would have had more than `State::most_parts` parts. From there on nothing was explored.
  [[nodiscard]] bool overflowed() const { return overflowed_; }

  // -- for reductions -------------------------------------------------------------------------------------------

  /// What a part is of.
  struct Place {
    About about;
    Index index;  ///< Of the connection, client or process.
    bool is_listener;
    bool names_listener;      ///< It counts the names that processes have for one.
    bool met_by_clients;      ///< Of what is at the door: clients reach it too.
    bool counts_connections;  ///< Of what is at the door: processes do not reach it.
  };
  [[nodiscard]] Slot slot_count() const { return static_cast<Slot>(places_.size()); }
  [[nodiscard]] const Place& place(Slot slot) const { return abouts_[slot]; }
  [[nodiscard]] Index client_count() const { return static_cast<Index>(scenario_.clients.size()); }
  [[nodiscard]] std::size_t listeners_made() const { return slots_[of_listeners].size(); }
  /// The value that a part of the world has in the state; null if it is not there.
  [[nodiscard]] const world::Inhabitant* process(Index index, const State& state) const;
  [[nodiscard]] const world::Connection* connection(Index index, const State& state) const;
  [[nodiscard]] const world::Client* client(Index index, const State& state) const;
  template <class Visit>
  void for_each_listener(const State& state, Visit&& visit) const {
    for (const auto& [key, slot] : slots_[of_listeners]) {
      if (const auto* const listener = value<world::Listener>(of_listeners, slot, state)) visit(*listener);
    }
  }
  /// The parent, if it is there and has to wait for the process's end.
  [[nodiscard]] std::optional<Index> waiting_parent(Index process, const State& state) const;

 private:
  /// The kinds of parts of a world, in the order in which it shows them. The watcher's come after them.
  enum KindNumber : std::uint32_t {
    of_time,
    of_counts,
    of_listeners,
    of_listener_names,
    of_connections,
    of_names,
    of_processes,
    of_kinship,
    of_clients,
    of_faults_left,
  };

  /// The values that parts of one kind had.
  class Kind {
   public:
    virtual ~Kind() = default;
    /// Of the parts that are there.
    [[nodiscard]] virtual std::vector<PartKey> keys() const = 0;
    virtual PartId number_of(PartKey key) = 0;
    virtual void restore(PartKey key, PartId part) = 0;
    [[nodiscard]] virtual Digest digest_of(PartId part) const = 0;
    [[nodiscard]] virtual std::uint64_t bytes() const = 0;
    virtual void watch(Footprint* footprint, std::uint32_t kind) = 0;
    [[nodiscard]] virtual About about() const = 0;
  };
  template <class T>
  class KindOf;

  class AnyWatcher {
   public:
    virtual ~AnyWatcher() = default;
    virtual void see(const Event& event, Report& report) = 0;
    virtual void at_end(Report& report) const = 0;
    virtual void while_endless(Report& report) const = 0;
    virtual void add_kinds_to(StateSpace& space) = 0;
    /// What was observed since it was last asked.
    virtual std::uint32_t observed() { return 0; }
  };
  template <Contract C>
  class Watching;
  class Observing;

  struct KnownActor {
    Actor who;
    Slot own;
    std::vector<std::unique_ptr<Footing>> of_part;  ///< By the value of its own part.
  };
  class Amounts;

  StateSpace(const Scenario& scenario, const Adversity& adversity, std::unique_ptr<AnyWatcher> watcher);
  void begin(const Server& server);
  void see(const Event& event);

  template <class T>
  void add_kind(Parts<T>& parts);
  Slot slot_of(Footprint::Place place);
  void add_actors_of(Footprint::Place place, Slot slot);
  [[nodiscard]] Place about(Footprint::Place place) const;
  const Fingerprint& term(Slot slot, PartId part);
  void load(const State& state);
  void watch(bool on);
  const Prospect& find_out(std::size_t actor, const State& state);
  void note_instruction(const Actor& actor, Prospect& prospect, const State& state) const;
  void moves_of(const Actor& actor, std::vector<Move>& moves, std::vector<Move>& ways_out) const;
  void run_all(const std::vector<Move>& moves, const State& state, std::vector<Outcome>& outcomes);
  bool run_one(const Move& move, Outcome& outcome);
  [[nodiscard]] bool is_counted(const Move& move) const;
  void spread_over_kinds(Footing& footing);
  Slots slots_of(const std::vector<Footprint::Place>& places);
  template <class T>
  [[nodiscard]] const T* value(KindNumber kind, Slot slot, const State& state) const;
  template <class T>
  [[nodiscard]] const T* value_at(KindNumber kind, Index index, const State& state) const;

  Scenario scenario_;
  const Adversity& adversity_;
  std::unique_ptr<AnyWatcher> watcher_;
  std::unique_ptr<Amounts> amounts_;
  std::unique_ptr<World> world_;
  Report report_;
  std::uint32_t told_ = 0;
  Parts<FaultsLeft> faults_left_;
  Footprint footprint_;
  std::vector<std::unique_ptr<Kind>> kinds_;
  std::vector<Footprint::Place> places_;  ///< By slot.
  std::vector<Place> abouts_;             ///< By slot.
  std::vector<std::vector<std::pair<PartKey, Slot>>> slots_;
  std::vector<std::vector<Fingerprint>> terms_;
  std::vector<KnownActor> actors_;
  State first_;
  std::vector<Breach> first_breaches_;
  std::uint32_t first_observed_ = 0;
  State loaded_;
  std::uint64_t steps_run_ = 0;
  std::uint64_t bytes_ = 0;  ///< Of prospects.
  bool overflowed_ = false;
};

/// For `ExploreOptions::space`: a contract in place of the echo server's. Its witness is made of parts.
template <Contract C>
auto with_contract(C contract) {
  return [contract](const Server& server, const Scope& scope) {
    return std::make_unique<StateSpace>(server, scope.scenario, scope.adversity, contract);
  };
}

template <class T>
class StateSpace::KindOf : public Kind {
 public:
  explicit KindOf(Parts<T>& parts) : parts_(parts) {}

  [[nodiscard]] std::vector<PartKey> keys() const override {
    std::vector<PartKey> keys;
    parts_.for_each([&](PartKey key, const T&) { keys.push_back(key); });
    return keys;
  }
  PartId number_of(PartKey key) override {
    const SharedValue<T> value = parts_.share(key);
    if (!value) return 0;
    Digest digest;
    identify(digest, *value);
    const auto [found, is_new] = numbers_.try_emplace({digest.low(), digest.high()}, values_.size());
    if (is_new) {
      values_.push_back(value);
      digests_.push_back(digest);
    }
    return found->second;
  }
  void restore(PartKey key, PartId part) override {
    if (part == 0) {
      parts_.erase(key);
    } else {
      parts_.put(key, values_[part]);
    }
  }
  [[nodiscard]] Digest digest_of(PartId part) const override { return digests_[part]; }
  [[nodiscard]] std::uint64_t bytes() const override {
    constexpr std::uint64_t beside = 96;  // its digest, twice, and its place in the table; what it refers to
    return values_.size() * (sizeof(T) + beside);
  }
  void watch(Footprint* footprint, std::uint32_t kind) override { parts_.watch(footprint, kind); }
  [[nodiscard]] About about() const override { return T::about; }

  [[nodiscard]] const T* value(PartId part) const { return part == 0 ? nullptr : &*values_[part]; }

 private:
  struct Hash {
    std::size_t operator()(const std::pair<std::uint64_t, std::uint64_t>& digest) const {
      return static_cast<std::size_t>(digest.first);
    }
  };
  Parts<T>& parts_;
  std::vector<SharedValue<T>> values_{SharedValue<T>()};
  std::vector<Digest> digests_{Digest()};
  std::unordered_map<std::pair<std::uint64_t, std::uint64_t>, PartId, Hash> numbers_;
};

template <class T>
const T* StateSpace::value(KindNumber kind, Slot slot, const State& state) const {
  return static_cast<const KindOf<T>&>(*kinds_[kind]).value(state.parts[slot]);
}

template <class T>
void StateSpace::add_kind(Parts<T>& parts) {
  kinds_.push_back(std::make_unique<KindOf<T>>(parts));
  slots_.emplace_back();
}

template <Contract C>
class StateSpace::Watching : public AnyWatcher {
 public:
  explicit Watching(C contract) : watcher_(std::move(contract)) {}
  void see(const Event& event, Report& report) override {
    watcher_.see(event, report, [](const Seen&) {});
  }
  void at_end(Report& report) const override { watcher_.at_end(report); }
  void while_endless(Report& report) const override { watcher_.while_endless(report); }
  void add_kinds_to(StateSpace& space) override {
    watcher_.for_each_kind([&](auto& parts) { space.add_kind(parts); });
  }

 private:
  Watcher<C> watcher_;
};

}  // namespace antiphon::verify
