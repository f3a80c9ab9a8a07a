#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verify/judge.hpp"
#include "verify/probe_judge.hpp"
#include "verify/promises.hpp"

/// Tries whether a server keeps the promises of an echo server, from outside: clients visit it, and what they meet is
/// judged. What fails is shrunk to a small script, and is reported only if it fails again.

namespace antiphon::verify {

/// Lets the clients of a visit loose on the server. Who waits for something is not stopped before `at_most_ms`; clients
/// that only hold their connection are, once all others are over.
using RunClients = std::function<ClientsRun(const Visit& visit, std::int64_t at_most_ms)>;

struct ProbeOptions {
  PromiseOptions expected;
  std::uint64_t runs = 20;  ///< Random visits.
  std::uint64_t seed = 1;
  std::int64_t timeout_ms = 40'000;                  ///< No run begins, or goes on, after that.
  std::function<void(const std::string&)> progress;  ///< Is told what is tried; null: nobody is.
};

/// How a promise was broken.
struct ProbeFinding {
  Visit visit;     ///< The smallest that was found.
  ClientsRun run;  ///< What its clients met.
  Fault fault;
  std::uint32_t shrunk_in = 0;  ///< Runs that shrinking took.
  /// How often the smallest visit failed when it was run again, and how often it was run. Both 0: nobody is served any
  /// more, so it cannot be run again.
  std::uint32_t seen = 0;
  std::uint32_t tried = 0;
};

struct PromiseResult {
  std::string_view name;
  std::string_view text;
  Ruling ruling = Ruling::incomplete;
  std::string why;  ///< Where the promise was not judged.
  std::optional<ProbeFinding> finding;
};

struct ProbeResult {
  Ruling ruling = Ruling::incomplete;
  std::optional<Errno> unreachable;  ///< There is nothing to be judged: no connection from the first on.
  std::vector<PromiseResult> promises;
  bool held_idle_client = false;  ///< An idle client was not let go of while others were served.
};

/// Tries all promises in their order, then random clients.
ProbeResult probe(const RunClients& run, const ProbeOptions& options);

}  // namespace antiphon::verify
