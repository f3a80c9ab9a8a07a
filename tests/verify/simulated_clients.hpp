#pragma once

#include <cstdint>

#include "interpreters/simulated.hpp"
#include "verify/probe.hpp"

/// Client programs in the simulator: they and the server are processes of one program there.

namespace antiphon::verify {

/// The clients visit a server that is fresh for each visit. It has to come to rest. `seed`: who goes on is drawn; 0:
/// they take turns.
inline RunClients simulated_clients(const Server& server, std::uint64_t seed = 0) {
  return [=](const Visit& visit, std::int64_t) {
    // The server is the first process; the clients come once it listens.
    const Server both = Fork{} >> [=](const Result<Forked>& forked) -> Server {
      if (!forked || std::holds_alternative<Parent>(*forked)) return server;
      return Sleep{10} >> [=](const Result<Unit>&) { return clients_program({"127.0.0.1", 8888}, visit); };
    };
    Scenario scenario(seed);
    scenario.capacity = 1U << 18U;
    const Run run = simulate(both, scenario, 5'000'000);
    ClientWatch watch(visit, 1);
    for (const Event& event : run.trace) {
      if (const auto* const one = std::get_if<ProcessEvent>(&event)) watch.see(*one);
    }
    return ClientsRun{watch.take(), run.at_rest};
  };
}

}  // namespace antiphon::verify
