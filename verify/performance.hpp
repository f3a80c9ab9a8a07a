#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/programs/server.hpp"
#include "interpreters/scenario.hpp"
#include "interpreters/simulated.hpp"
#include "verify/company.hpp"
#include "verify/score.hpp"

/// A scenario's simulated run, performed on the kernel: the server in processes of its own, on one of the interpreters,
/// and real clients on loopback. Everything happens in the order in which it happened in the simulation. Where
/// something else comes of it, the two have parted.

namespace antiphon::verify {

/// Where a performance parts from its score, in words.
struct Difference {
  std::string place;  ///< "event 3 of process 1", "client 2"
  std::string simulated;
  std::string performed;

  bool operator==(const Difference&) const = default;
};
std::string place_of(const ProcessEvent& event);

struct Performance {
  /// What the server did on the kernel; and what the clients did, unless the two have parted.
  Run run;
  std::uint64_t steps = 0;  ///< That went as in the simulation: events, and deliveries to the server.
  std::uint64_t given = 0;  ///< Answers that were given in the kernel's stead.
  std::optional<Difference> difference;
  /// A Recv answered less than there was, as it may. What came after that is not compared.
  bool cut_short = false;
  std::uint64_t tries = 1;         ///< How often it was performed.
  std::optional<Difference> once;  ///< It parted, and not when it was tried again.
};

/// The program, to listen at an address of this host.
using MakeServer = std::function<Server(const Endpoint& at)>;

/// Performs the score of the server in the scenario. Takes some milliseconds, and some seconds where the two part.
/// Whatever it starts is over when it returns. Throws std::system_error where the machine lacks something.
Performance perform(const Server& server, const Score& score, Stage stage);

/// Simulates the scenario and performs it, at a port that is free. Where the two part it is tried again: the kernel may
/// take its time on a busy machine. What parts each time is a difference.
Performance perform(const MakeServer& make, const Scenario& scenario, Stage stage);

}  // namespace antiphon::verify
