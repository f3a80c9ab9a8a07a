#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "apps/arguments.hpp"

namespace antiphon {

/// What echo-verify was asked to do.
struct VerifyArguments {
  bool judges_trace = false;           ///< `trace FILE`; else `properties`.
  std::string file;                    ///< The trace's path.
  std::optional<std::string> program;  ///< As given.
  std::uint64_t runs = 10'000;
  std::uint64_t seed = 1;
  std::uint32_t clients = 4;
  std::string faults = "none";       ///< As given.
  std::vector<bool> fault_classes;   ///< What that means.
  std::optional<std::string> token;  ///< To replay.
  bool as_json = false;
};

/// Reads the command line of echo-verify. Errors are one line that names the option.
std::expected<VerifyArguments, Farewell> read_verify_arguments(int count, const char* const* values);

}  // namespace antiphon
