#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "verify/campaign.hpp"
#include "verify/performance.hpp"

/// The scenarios of a campaign, each simulated, and then performed on the kernel and judged there. Where the two part,
/// the simulator is wrong, or the interpreter is.

namespace antiphon::verify {

struct ParityOptions {
  Stage stage = Stage::epoll;
  std::uint64_t runs = 200;
  std::uint64_t seed = 1;
  Generation generation;
  Expectations expectations;
  /// Called now and then with what is being done.
  std::function<void(const std::string&)> progress = [](const std::string&) {};
};

/// A violation, in the simplest scenario that the simulator found for it.
struct PerformedFinding {
  Finding finding;
  bool on_the_kernel = false;  ///< That scenario breaks the clause on the kernel too.
};

/// The first scenario that went another way on the kernel, made simpler.
struct ParityGap {
  Scenario scenario;
  Difference difference;
  std::uint64_t found_in_run = 0;  ///< From 1.
  std::uint64_t shrinking_runs = 0;
};

struct ParityResult {
  Ruling ruling = Ruling::incomplete;
  std::uint64_t runs = 0;
  std::uint64_t steps = 0;
  std::uint64_t given = 0;        ///< Answers that were given in the kernel's stead.
  std::uint64_t tried_again = 0;  ///< Runs that parted, and did not when they were tried again,
  std::optional<ParityGap> once;  ///< the first of them, not shrunk.
  std::uint64_t cut_short = 0;    ///< Runs that were not compared to their end.
  std::uint64_t incomplete_runs = 0;
  std::vector<PerformedFinding> findings;
  std::optional<ParityGap> gap;      ///< Nothing is run after it.
  std::vector<Sometimes> sometimes;  ///< Of the limits.
  bool planted_found = false;        ///< Scores with one wrong byte parted, at that byte, whoever was to receive it.
  Tally total;
  std::vector<std::string> remarks;  ///< Why it is incomplete.
};

ParityResult check_parity(const MakeServer& make, const ParityOptions& options);

/// A score with one wrong byte, and where it has to part.
struct Spoiled {
  Score score;
  std::string place;
  std::string simulated;
};

/// Of a score: with a wrong byte in what a Recv answers, and in what a client receives; as far as there are such.
std::vector<Spoiled> spoiled(const Score& score);

}  // namespace antiphon::verify
