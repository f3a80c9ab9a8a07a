#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "interpreters/simulated.hpp"
#include "interpreters/world.hpp"

namespace antiphon {

/// Notices that a run goes on for ever in a fair way: whoever can go on all the time does. Where time is free, the run
/// comes back to a state that it was in. Where time passes, the processes go on for long and no client is told
/// anything: for `many_steps` and ten minutes, and longer than whatever deadline or pause is under way when that begins
/// to be watched, some steps after the last word; or for `most_steps` in no time.
class Endless {
 public:
  static constexpr std::uint64_t watched_from = 64;
  static constexpr std::uint64_t many_steps = 2'000;
  static constexpr std::uint64_t most_steps = 20'000;
  static constexpr std::int64_t long_ms = 600'000;

  enum class Finding : std::uint8_t {
    nothing,
    lap,         ///< It goes on for ever.
    unfair_lap,  ///< It goes on for ever because somebody is kept from going on.
  };

  explicit Endless(bool free_time) : free_time_(free_time) {}

  /// Before a step: what can happen, and what has happened so far.
  Finding look(World& world, const Chooser& chooser, const std::vector<Move>& moves, const std::vector<Event>& trace);
  /// The step that is taken.
  void took(const Move& move);

  /// Of a lap: the events of the trace that it is in.
  [[nodiscard]] std::size_t from() const { return from_; }
  [[nodiscard]] std::size_t to() const { return to_; }

 private:
  struct Been {
    std::uint64_t step;
    std::size_t events;
  };

  static Digest here(World& world, const Chooser& chooser);
  Finding look_for_state(World& world, const Chooser& chooser, const std::vector<Event>& trace);
  Finding look_for_silence(const World& world, const std::vector<Event>& trace);
  void keep_able(const std::vector<Move>& moves);

  bool free_time_;
  std::uint64_t steps_ = 0;
  std::map<Digest, Been> been_;
  Digest lap_begins_;
  std::optional<std::uint64_t> lap_ends_;  ///< At this step the lap was made once more.

  std::size_t events_seen_ = 0;
  std::uint64_t silent_steps_ = 0;
  std::int64_t silent_since_ms_ = 0;
  std::int64_t silent_until_ms_ = long_ms;  ///< At least.

  /// Who could go on at every step of the lap, or of the silence, and never did.
  std::vector<Move> kept_;
  bool kept_are_known_ = false;

  std::size_t from_ = 0;
  std::size_t to_ = 0;
};

}  // namespace antiphon
