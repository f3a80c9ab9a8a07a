#include "apps/log_entry.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "apps/arguments.hpp"

namespace antiphon {

namespace {

constexpr std::string_view level_names[] = {"info", "warning", "error"};  // as in LogLevel

std::string text_of_time(std::chrono::system_clock::time_point time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time - whole).count();
  return fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(whole)), milliseconds);
}

std::string json_of(const LogEntry& entry, std::chrono::system_clock::time_point time) {
  nlohmann::ordered_json fields = nlohmann::ordered_json::object();
  for (const auto& [name, value] : entry.fields) {
    std::visit([&](const auto& one) { fields[std::string(name)] = one; }, value);
  }
  const nlohmann::ordered_json line = {
      {"time", text_of_time(time)}, {"level", level_names[static_cast<std::size_t>(entry.level)]},
      {"event", entry.event},       {"origin", entry.origin},
      {"message", entry.message},   {"fields", std::move(fields)}};
  // What is no UTF-8, in the name of a file, is replaced.
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace

std::string line_of(const LogEntry& entry, LogFormat format, std::chrono::system_clock::time_point time) {
  if (format == LogFormat::json) return json_of(entry, time);
  return fmt::format("{}: {}\n", entry.origin, on_one_line(entry.message));
}

// (One write of a line to a pipe that is ready for it does not wait.)
void put_line(const std::string& text) {
  pollfd out{STDERR_FILENO, POLLOUT, 0};
  if (poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0) return;
  // Nothing is left to be done about a line that does not go out.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace antiphon
