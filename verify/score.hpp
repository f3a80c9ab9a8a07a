#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/programs/server.hpp"
#include "interpreters/conductor.hpp"
#include "interpreters/simulated.hpp"

/// A simulated run as something that is to be performed on the kernel: what happens, one thing after the other, and
/// what it takes that it happens there too.

namespace antiphon::verify {

/// Something of a client's reaches the server's side of its connection: bytes as they are received, the end when it is,
/// and all that was not, before it matters that it waits there.
struct Delivery {
  enum class Kind : std::uint8_t { bytes, end, reset };
  Index client = 0;  ///< From 0.
  Kind kind = Kind::bytes;
  std::string bytes;
};

/// A process is told that it is to stop: it was born after the stop, of a parent that had not noticed it yet, and so it
/// does not know of it where processes are the operating system's.
struct Reminder {
  ProcessId process;
};

/// A process that has told of its end is waited for: where processes are the operating system's, its parent counts it
/// until the kernel has ended it.
struct Departure {
  ProcessId process;
};

struct Step {
  std::variant<Event, Delivery, Reminder, Departure> what;
  Cue cue;  ///< Of a process's event: how the instruction is carried out there.
};

struct Score {
  Run run;  ///< The simulated one.
  std::vector<Step> steps;
  std::unordered_map<ProcessId, std::vector<std::size_t>> places;  ///< Of each process's events in `steps`.
  /// Answers that are given in the kernel's stead: faults, and what comes of limits that the scenario has.
  std::uint64_t given = 0;
  std::vector<std::string> hosts;  ///< Of each client: the address that it comes from; "": any.

  /// The place in `steps` of the process's event of that number; none if it has none.
  [[nodiscard]] std::optional<std::size_t> step(ProcessId process, std::uint64_t number) const;
  /// What a process does in that step.
  [[nodiscard]] const ProcessEvent& event(std::size_t step) const {
    return std::get<ProcessEvent>(std::get<Event>(steps[step].what));
  }
};

/// Simulates the scenario.
Score score_of(const Server& server, const Scenario& scenario);

}  // namespace antiphon::verify
