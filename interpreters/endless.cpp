#include "interpreters/endless.hpp"

#include <algorithm>
#include <cstddef>

namespace antiphon {

namespace {

constexpr std::size_t most_events_shown = 8;

/// Whoever makes the move, whatever it is.
Move actor_of(const Move& move) {
  switch (move.kind) {
    case Move::Kind::arrival:
      return move;
    case Move::Kind::client:
      return {move.kind, move.index};
    default:
      return {Move::Kind::process, move.index};
  }
}

}  // namespace

Endless::Finding Endless::look(World& world, const Chooser& chooser, const std::vector<Move>& moves,
                               const std::vector<Event>& trace) {
  const Finding finding = free_time_ ? look_for_state(world, chooser, trace) : look_for_silence(world, trace);
  if (finding != Finding::nothing) return finding;
  // Who is kept from going on matters only once there may be a lap.
  if (free_time_ ? lap_ends_.has_value() : silent_steps_ >= watched_from) keep_able(moves);
  ++steps_;
  return finding;
}

Endless::Finding Endless::look_for_state(World& world, const Chooser& chooser, const std::vector<Event>& trace) {
  if (lap_ends_) {
    if (steps_ < *lap_ends_) return Finding::nothing;
    if (here(world, chooser) == lap_begins_) return kept_.empty() ? Finding::lap : Finding::unfair_lap;
    lap_ends_.reset();  // another turn was taken: it was no lap
    been_.clear();
  }
  if (!chooser.is_settled() || world.faults_to_come()) return Finding::nothing;
  lap_begins_ = here(world, chooser);
  const auto [been, is_new] = been_.try_emplace(lap_begins_, Been{steps_, trace.size()});
  if (is_new) return Finding::nothing;
  // Once more, to see who is kept from going on.
  lap_ends_ = 2 * steps_ - been->second.step;
  from_ = been->second.events;
  to_ = trace.size();
  kept_are_known_ = false;
  return Finding::nothing;
}

Digest Endless::here(World& world, const Chooser& chooser) {
  Digest digest = world.digest();
  digest.add_word(chooser.place());
  return digest;
}

Endless::Finding Endless::look_for_silence(const World& world, const std::vector<Event>& trace) {
  for (; events_seen_ < trace.size(); ++events_seen_) {
    if (std::holds_alternative<ProcessEvent>(trace[events_seen_])) continue;
    silent_steps_ = 0;
    from_ = events_seen_ + 1;
  }
  if (++silent_steps_ < watched_from) return Finding::nothing;
  if (silent_steps_ == watched_from) {
    silent_since_ms_ = world.now_ms();
    silent_until_ms_ = std::max(silent_since_ms_ + long_ms, world.last_due_ms());
    kept_are_known_ = false;
  }
  const bool is_long = silent_steps_ > many_steps && world.now_ms() > silent_until_ms_;
  const bool is_restless = silent_steps_ > most_steps && world.now_ms() == silent_since_ms_;
  if (!is_long && !is_restless) return Finding::nothing;
  if (!kept_.empty()) return Finding::nothing;
  to_ = std::min(trace.size(), from_ + most_events_shown);
  return Finding::lap;
}

void Endless::keep_able(const std::vector<Move>& moves) {
  const auto is_able = [&](const Move& actor) {
    return std::ranges::any_of(moves, [&](const Move& move) { return actor_of(move) == actor; });
  };
  if (kept_are_known_) {
    std::erase_if(kept_, [&](const Move& actor) { return !is_able(actor); });
    return;
  }
  kept_are_known_ = true;
  kept_.clear();
  for (const Move& move : moves) kept_.push_back(actor_of(move));
}

void Endless::took(const Move& move) {
  if (!kept_.empty()) std::erase(kept_, actor_of(move));
}

}  // namespace antiphon
