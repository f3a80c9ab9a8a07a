#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/programs/catalogue.hpp"

/// The limits that a program is made with: options of echo-server, and of echo-verify.

namespace antiphon {

/// Those of a client that takes its answers slowly and of clients at one address.
inline constexpr std::string_view limit_options[] = {"--progress-timeout", "--max-per-address"};

/// Declares the options above.
void add_limit_options(CLI::App& app, ProgramOptions& options);

/// Declares an option that takes seconds, 0 for no limit.
void add_time_limit(CLI::App& app, const std::string& name, std::int64_t& limit_ms);

/// Refuses each of the options that is given: the seed takes nothing from outside, and who sets something for it would
/// be misled.
void refuse_for_seed(const CLI::App& app, std::span<const std::string_view> names);

/// The limits above as a command line has them: "--progress-timeout 30"; "" if there is none.
std::string limits_as_options(const ProgramOptions& options);

}  // namespace antiphon
