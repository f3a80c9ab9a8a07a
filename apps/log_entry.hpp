#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace antiphon {

/// How lines of the log look: a sentence for people, or a JSON object for programs.
enum class LogFormat : std::uint8_t { text, json };

enum class LogLevel : std::uint8_t { info, warning, error };

using LogValue = std::variant<std::int64_t, std::string>;

/// What there is to say, in both forms. It never has a byte that a client sent.
struct LogEntry {
  LogLevel level = LogLevel::info;
  std::string_view event;  ///< A name that stays: "stopping".
  std::string message;     ///< A sentence.
  std::vector<std::pair<std::string_view, LogValue>> fields = {};
  std::string_view origin = "echo-server";  ///< Who says it.
};

/// The line, with its end. As text: `ORIGIN: MESSAGE`. As JSON: an object with the members time (RFC 3339, UTC,
/// milliseconds), level, event, origin, message and fields.
std::string line_of(const LogEntry& entry, LogFormat format, std::chrono::system_clock::time_point time);

/// Writes a line with its end to standard error. A reader that went away, or that does not read, is no reason to end or
/// to wait: what cannot be written at once is lost.
void put_line(const std::string& text);

}  // namespace antiphon
