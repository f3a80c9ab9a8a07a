#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "apps/exit_code.hpp"
#include "apps/version.hpp"

/// What the programs' command lines have in common. A wrong value is refused in one line that names its option.

namespace antiphon {

/// What a program has to say instead of running.
struct Farewell {
  ExitCode code;
  std::string text;  ///< For standard output if the code is `holds`, else one line for standard error.
};

/// The text with spaces for what is not printed, newlines among it.
std::string on_one_line(std::string text);

/// Ends the parsing: "OPTION: why".
[[noreturn]] void refuse(const std::string& option, const std::string& why);

std::int64_t whole_number(const std::string& option, const std::string& text, std::int64_t least, std::int64_t most);

/// Seconds, with decimals if need be, as milliseconds.
std::int64_t seconds(const std::string& option, const std::string& text);

/// A size in bytes: a whole number, with K, M or G for 2^10, 2^20 or 2^30 of them if need be.
std::uint64_t size_in_bytes(const std::string& option, const std::string& text, std::uint64_t least,
                            std::uint64_t most);

/// The place of a choice among its names.
std::size_t choice(const std::string& option, const std::string& text, std::span<const std::string_view> names);

/// The name of a program of the catalogue.
std::string program_name(const std::string& option, const std::string& text);

/// Declares an option that takes one word.
CLI::Option* add_text(CLI::App& app, const std::string& name, const std::function<void(const std::string&)>& take);

/// Declares an option that takes a whole number.
template <class Number>
CLI::Option* add_number(CLI::App& app, const std::string& name, Number& member, std::int64_t least, std::int64_t most) {
  return add_text(app, name, [=, &member](const std::string& text) {
    member = static_cast<Number>(whole_number(name, text, least, most));
  });
}

/// The largest seed that a command line takes.
inline constexpr std::int64_t most_seed = std::numeric_limits<std::int64_t>::max();

/// Reads the command line; a Farewell if the program is not to run: its manual, its version, or a complaint.
std::optional<Farewell> parse(std::string_view program, CLI::App& app, int count, const char* const* values,
                              const std::string& manual);

}  // namespace antiphon
