#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/process.hpp"
#include "core/programs/server.hpp"
#include "core/trace.hpp"
#include "interpreters/random.hpp"
#include "interpreters/scenario.hpp"

/// The simulated interpreter: a server's program in an in-memory network with scripted clients and virtual time.
///
/// The network is TCP at the level of connections: bytes fly, arrive in pieces and wait to be read, in buffers of a
/// bounded size; either side can end its half or reset; a close with unread input resets, and what was flying to the
/// peer is lost; a full backlog drops the request, and the client asks again after 1, 2, 4, … 32 seconds and then gives
/// up. Time passes only when nothing else can happen.
///
/// Not modelled: a reset that is overtaken by data sent before it (what flies when a reset is sent is lost), urgent
/// data, keep-alive.

namespace antiphon {

/// Says which of `count` things happens next. Everything open about a run is asked here, so a run is as
/// deterministic as its chooser.
class Chooser {
 public:
  explicit Chooser(const Scenario& scenario);
  /// Which of `count` (at least 1) things happens: a number below it. Takes turns where nothing else is said.
  std::uint32_t which(std::uint32_t count);
  /// By how much an amount falls short of what it could be: a number below `count`. 0 where nothing else is said.
  std::uint32_t shortfall(std::uint32_t count);

 private:
  const std::vector<std::uint32_t>* choices_;
  std::size_t used_ = 0;
  std::optional<Random> random_;  ///< None: take turns.
  std::uint32_t turn_ = 0;

  std::optional<std::uint32_t> open_choice(std::uint32_t count);
};

struct Run {
  std::vector<Event> trace;
  /// Nothing more can happen: what is pending in the trace stays so. False: the limit of steps was reached.
  bool at_rest = false;
  std::uint64_t steps = 0;
  std::uint64_t looks = 0;  ///< How often the program looked at the content of a message.
};

/// Runs the server in the scenario until nothing more can happen, or `most_steps`.
Run simulate(const Server& server, const Scenario& scenario, std::uint64_t most_steps = 200'000);

}  // namespace antiphon
