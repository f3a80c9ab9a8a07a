#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/programs/server.hpp"
#include "core/trace.hpp"
#include "interpreters/random.hpp"
#include "interpreters/scenario.hpp"
#include "interpreters/world.hpp"

/// The simulated interpreter: a server's program in an in-memory network with scripted clients and virtual time, in one
/// run that the scenario's schedule, or its seed, decides. What can happen, and what then does: interpreters/world.hpp.

namespace antiphon {

/// Says which of `count` things happens next. Everything open about a run is asked here, so a run is as
/// deterministic as its chooser.
class Chooser : public Shortfalls {
 public:
  explicit Chooser(const Scenario& scenario);
  /// Which of `count` (at least 1) things happens: a number below it. Takes turns where nothing else is said.
  std::uint32_t which(std::uint32_t count);
  /// By how much an amount falls short of what it could be: a number below `count`. 0 where nothing else is said.
  std::uint32_t shortfall(std::uint32_t count) override;
  /// Whether all choices were made and only what repeats itself is left: those that come round, or turns.
  [[nodiscard]] bool is_settled() const;
  /// Where in the repetition it is: with the same place the same is said from here on.
  [[nodiscard]] std::uint64_t place() const;
  /// All that was open and what was said, in order: the schedule that says the same.
  [[nodiscard]] const std::vector<std::uint32_t>& said() const { return said_; }

 private:
  const std::vector<std::uint32_t>* choices_;
  std::size_t comes_round_;
  std::size_t used_ = 0;
  std::optional<Random> random_;  ///< None: take turns.
  std::uint32_t turn_ = 0;
  /// After so many turns they are the same, whatever the counts that came so far; 0: after more than there are.
  std::uint64_t turns_repeat_ = 1;
  std::vector<std::uint32_t> said_;

  std::optional<std::uint32_t> open_choice(std::uint32_t count);
};

struct Run {
  std::vector<Event> trace;
  /// Nothing more can happen: what is pending in the trace stays so. False: the limit of steps was reached.
  bool at_rest = false;
  /// The run goes on for ever, and nobody is kept from going on: what the trace has from this event on comes again and
  /// again, or more of its kind.
  std::optional<std::uint64_t> lap_from;
  std::uint64_t steps = 0;
  /// What was chosen wherever something was open. A scenario with these choices, and whatever seed, has the same run.
  std::vector<std::uint32_t> choices;
  std::uint64_t looks = 0;  ///< How often the program looked at the content of a message.
};

/// Who looks on, at each move that is made.
struct Spectator {
  std::function<void(const World&, const Move&)> before = {};
  std::function<void(const World&, const Move&)> after = {};
  /// Of a run without end these are more than its trace has.
  std::function<void(const Event&)> event = {};
};

/// Runs the server in the scenario until nothing more can happen, or `most_steps`.
Run simulate(const Server& server, const Scenario& scenario, std::uint64_t most_steps = 200'000,
             const Spectator& spectator = {});

}  // namespace antiphon
