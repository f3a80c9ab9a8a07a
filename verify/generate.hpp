#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "interpreters/scenario.hpp"

/// Random scenarios: what clients, schedules and faults a campaign draws from.

namespace antiphon::verify {

/// A class of faults by name.
struct FaultClass {
  std::string_view name;
  std::string_view meaning;
};

/// All classes, in the order in which `--faults` lists them.
const std::vector<FaultClass>& fault_classes();

struct Generation {
  std::uint32_t most_clients = 4;
  std::vector<bool> faults;          ///< Which of `fault_classes` may occur; empty: none.
  std::uint32_t most_addresses = 1;  ///< That the clients are at.
  bool full_buffers = false;         ///< With the fault `idle`, many scenarios have a client that lets its buffer fill.
};

/// The faults of a list: "none", "all", or names with commas between them. The error names the word that is wrong.
std::expected<std::vector<bool>, std::string> faults_named(std::string_view list);

/// A scenario drawn from a seed; the same seed gives the same scenario.
Scenario draw(const Generation& generation, std::uint64_t seed);

}  // namespace antiphon::verify
