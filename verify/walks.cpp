#include "verify/walks.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "interpreters/random.hpp"
#include "verify/discoveries.hpp"
#include "verify/fingerprints.hpp"
#include "verify/position.hpp"

namespace antiphon::verify {

namespace {

constexpr std::uint64_t progress_every = 1U << 12U;
constexpr std::uint64_t most_steps = 10'000;  ///< Of a walk.
constexpr std::uint64_t steps_at_first = 32;  ///< How long a walk is thought to be before there was one.
constexpr std::size_t most_leads = 1U << 12U;
constexpr std::size_t leads_every = 4;  ///< One walk in so many follows no lead.
constexpr std::uint32_t rates = 7;      ///< Adversity comes at every second step, every fourth, … or never.

class Walker {
 public:
  Walker(const Server& server, const Scope& scope, const ExploreOptions& options)
      : options_(options),
        owned_space_(space_of(server, scope, options)),
        space_(*owned_space_),
        position_(space_),
        adversity_(scope.adversity),
        random_(options.seed),
        discoveries_(options.most_findings) {}

  Exploration run() {
    discoveries_.add(space_.breaches_at_first(), false, {});
    note_state();
    while (result_.walks < options_.runs && !discoveries_.full() && !space_.overflowed()) {
      walk();
      if (++result_.walks % progress_every == 0) tell_progress();
    }
    return finish();
  }

 private:
  void tell_progress() const {
    options_.progress(std::to_string(result_.walks) + " of " + std::to_string(options_.runs) + " walks, " +
                      std::to_string(seen_.size()) + " states");
  }

  void walk() {
    position_.move_to(space_.first());
    way_.clear();
    begin_adversity();
    begin_priorities();
    follow_a_lead();
    while (way_.size() < most_steps) {
      const Outcome* const next = choose();
      if (next == nullptr || space_.overflowed()) break;
      take(*next);
    }
    if (way_.size() == most_steps) ++result_.cut;
    result_.deepest = std::max<std::uint64_t>(result_.deepest, way_.size());
    keep_as_lead();
  }

  // -- one step -------------------------------------------------------------------------------------------------

  /// What happens next; null: the walk ends here.
  const Outcome* choose() {
    able_.clear();
    adverse_.clear();
    ways_out_.clear();
    for (std::size_t actor = 0; actor < position_.actor_count(); ++actor) {
      const Prospect* const prospect = position_.prospect(actor);
      if (prospect == nullptr) continue;
      if (prospect->ordinary > 0) able_.push_back(actor);
      if (prospect->outcomes.size() > prospect->ordinary) adverse_.push_back(actor);
      for (const Outcome& outcome : prospect->ways_out) ways_out_.push_back(&outcome);
    }
    const bool at_rest = able_.empty() && ways_out_.empty();
    if (at_rest) judge_rest();
    const Outcome* const blow = strike();
    if (blow != nullptr || at_rest) return blow;
    if (able_.empty()) return ways_out_[below(ways_out_.size())];  // time passes
    const Prospect& chosen = *position_.prospect(who_goes_on());
    return &chosen.outcomes[below(chosen.ordinary)];
  }

  void take(const Outcome& outcome) {
    way_.push_back(&outcome);
    ++result_.transitions;
    if (discoveries_.has_new(outcome.breaches)) discoveries_.add(outcome.breaches, false, path());
    position_.take(outcome);
    note_news(outcome);
    note_state();
  }

  void judge_rest() {
    if (has_room() && !rests_.insert(position_.state().fingerprint).is_new) return;
    const auto breaches = space_.breaches_at_rest(position_.state());
    if (discoveries_.has_new(breaches)) discoveries_.add(breaches, true, path());
  }

  void note_state() {
    if (has_room()) seen_.insert(position_.state().fingerprint);
  }
  [[nodiscard]] bool has_room() const { return seen_.bytes_next() + rests_.bytes_next() <= options_.most_memory; }

  [[nodiscard]] std::vector<Taken> path() const {
    std::vector<Taken> path;
    append(path, way_);
    return path;
  }

  std::size_t below(std::size_t bound) { return random_.below(static_cast<std::uint32_t>(bound)); }

  // -- adversity ------------------------------------------------------------------------------------------------

  void begin_adversity() {
    rate_ = random_.below(rates);
    errors_ = (std::uint64_t{random_.below(~std::uint32_t{0})} << 32U) | random_.below(~std::uint32_t{0});
  }

  [[nodiscard]] bool may_come(const Outcome& outcome) const {
    if (outcome.move.kind != Move::Kind::fault) return true;
    return ((errors_ >> (static_cast<std::uint64_t>(outcome.move.error) % 64)) & 1U) != 0;
  }

  /// A fault, a stop or a reset, if it is time for one.
  const Outcome* strike() {
    if (adverse_.empty() || rate_ == 0 || below(std::size_t{1} << rate_) != 0) return nullptr;
    const Prospect& struck = *position_.prospect(adverse_[below(adverse_.size())]);
    const Outcome& blow = struck.outcomes[struck.ordinary + below(struck.outcomes.size() - struck.ordinary)];
    return may_come(blow) ? &blow : nullptr;
  }

  // -- leads ----------------------------------------------------------------------------------------------------

  /// Whether the step brings a process into a state in which it was never seen.
  void note_news(const Outcome& outcome) {
    if (options_.order != Order::guided) return;
    met_.resize(std::max<std::size_t>(met_.size(), space_.slot_count()));
    for (const Outcome::Change& change : outcome.changes) {
      if (space_.place(change.slot).about != About::process) continue;
      std::vector<bool>& met = met_[change.slot];
      if (met.size() <= change.part) met.resize(change.part + 1);
      if (met[change.part]) continue;
      met[change.part] = true;
      news_ = way_.size();
    }
  }

  /// Begins like a walk that met something new.
  void follow_a_lead() {
    news_ = 0;
    if (leads_.empty() || below(leads_every) == 0) return;
    const std::size_t newer = std::max(below(leads_.size()), below(leads_.size()));
    const std::vector<const Outcome*> lead = leads_[newer];
    const std::size_t steps = below(2) == 0 ? lead.size() : below(lead.size() + 1);
    for (std::size_t step = 0; step < steps; ++step) take(*lead[step]);
  }

  void keep_as_lead() {
    if (news_ == 0) return;
    way_.resize(news_);
    if (leads_.size() < most_leads) {
      leads_.push_back(way_);
    } else {
      leads_[below(leads_.size())] = way_;
    }
  }

  // -- who goes on ----------------------------------------------------------------------------------------------

  void begin_priorities() {
    priorities_.clear();
    turns_.clear();
    const std::uint64_t steps = std::max(result_.deepest, steps_at_first);
    while (turns_.size() + 1 < options_.depth) turns_.push_back(below(steps));
  }

  std::size_t who_goes_on() {
    if (options_.order != Order::pct) return able_[below(able_.size())];
    while (priorities_.size() < position_.actor_count()) {
      priorities_.push_back(options_.depth + std::uint64_t{random_.below(~std::uint32_t{0})});
    }
    most_actors_ = std::max(most_actors_, priorities_.size());
    const auto priority = [&](std::size_t actor) { return priorities_[actor]; };
    for (std::size_t turn = 0; turn < turns_.size(); ++turn) {
      if (turns_[turn] == way_.size()) priorities_[*std::ranges::max_element(able_, {}, priority)] = turn;
    }
    return *std::ranges::max_element(able_, {}, priority);
  }

  // -- the end --------------------------------------------------------------------------------------------------

  Exploration finish() {
    result_.states = seen_.size();
    result_.rests = rests_.size();
    result_.steps_run = space_.steps_run();
    result_.bytes = seen_.bytes() + rests_.bytes();
    if (options_.order == Order::pct && most_actors_ > 0 && !adversity_.any()) {
      result_.least_chance = 1 / (static_cast<double>(most_actors_) *
                                  std::pow(static_cast<double>(result_.deepest), options_.depth - 1.0));
    }
    if (!has_room()) {
      result_.notes.emplace_back("the memory was full: there are more states than were counted");
    }
    add_remarks_on(space_, result_.remarks);
    if (result_.cut > 0) {
      result_.remarks.push_back(std::to_string(result_.cut) + " walks were cut after " + std::to_string(most_steps) +
                                " steps");
    }
    result_.discoveries = discoveries_.take();
    if (!result_.discoveries.empty()) {
      result_.ruling = Ruling::violated;
    } else {
      result_.remarks.emplace_back("walks prove nothing: what they did not come by may still be there");
    }
    return std::move(result_);
  }

  const ExploreOptions& options_;
  const std::unique_ptr<StateSpace> owned_space_;
  StateSpace& space_;
  Position position_;
  const Adversity& adversity_;
  Random random_;
  Discoveries discoveries_;
  Exploration result_;
  Fingerprints seen_;
  Fingerprints rests_;

  std::vector<std::vector<bool>> met_;              ///< By slot and part.
  std::vector<std::vector<const Outcome*>> leads_;  ///< Ways to something new, older ones first.

  // Of the walk.
  std::size_t news_ = 0;  ///< After so many steps it last met something new.
  std::vector<const Outcome*> way_;
  std::uint32_t rate_ = 0;
  std::uint64_t errors_ = 0;
  std::vector<std::uint64_t> priorities_;  ///< By actor.
  std::vector<std::size_t> turns_;         ///< The steps at which a priority falls.
  std::size_t most_actors_ = 0;

  // Of the step.
  std::vector<std::size_t> able_;
  std::vector<std::size_t> adverse_;
  std::vector<const Outcome*> ways_out_;
};

}  // namespace

Exploration walks(const Server& server, const Scope& scope, const ExploreOptions& options) {
  return Walker(server, scope, options).run();
}

}  // namespace antiphon::verify
