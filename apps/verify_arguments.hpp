#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "apps/arguments.hpp"
#include "apps/probe_arguments.hpp"
#include "core/programs/catalogue.hpp"
#include "verify/performance.hpp"
#include "verify/scope.hpp"

namespace antiphon {

enum class VerifyCommand : std::uint8_t { properties, trace, explore, compare, mutants, probe, faults };

/// What `trace` reads: our own trace, or what was recorded of any echo server.
enum class TraceInput : std::uint8_t { antiphon, strace, pcap };

/// What `explore` or `compare` was asked for, beside what is asked for everywhere.
struct ExploreArguments {
  verify::ScopeRequest scope;
  verify::Order order = verify::Order::depth_first;
  verify::Reductions reductions;
  std::uint64_t memory_mib = 2048;
  std::uint32_t threads = 1;
  std::uint32_t depth = 3;
};

/// What echo-verify was asked to do.
struct VerifyArguments {
  VerifyCommand command = VerifyCommand::properties;
  std::vector<std::string> files;  ///< The paths of the trace's parts.
  TraceInput input = TraceInput::antiphon;
  bool in_simulator = false;            ///< Look for the recorded run in the simulator.
  std::optional<std::int64_t> port;     ///< Of the server that is judged, in an input that is not ours.
  std::optional<std::string> program;   ///< As given.
  ProgramOptions options;               ///< What programs that run are made from.
  std::array<std::string, 2> compared;  ///< The programs of `compare`.
  std::uint64_t runs = 10'000;          ///< Of `properties`.
  std::uint64_t mutant_runs = 1'000;    ///< Of `mutants`, for each of them.
  std::uint64_t seed = 1;
  std::uint32_t clients = 4;
  std::string faults = "none";           ///< As given.
  std::vector<bool> fault_classes;       ///< What that means.
  std::optional<std::string> token;      ///< To replay.
  std::optional<verify::Stage> stage;    ///< Of `properties` and `faults`: on the kernel too, so interpreted.
  std::uint64_t stage_runs = 200;        ///< Then so many.
  std::optional<std::string> emit_test;  ///< Where to write what was found as a test.
  bool coverage = false;                 ///< List what was never reached.
  ExploreArguments explore;
  ProbeArguments probe;
  bool as_json = false;
};

/// Reads the command line of echo-verify. Errors are one line that names the option.
std::expected<VerifyArguments, Farewell> read_verify_arguments(int count, const char* const* values);

}  // namespace antiphon
