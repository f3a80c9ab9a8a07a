#include "apps/server_log.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstring>

#include "apps/rate_limit.hpp"

namespace antiphon {

void ServerLog::listening(const Endpoint& bound) {
  has_listened_ = true;
  std::fputs(fmt::format("listening on {} (interpreter {})\n", text_of(bound), interpreter_).c_str(), stdout);
  std::fflush(stdout);
}

void ServerLog::tell(const LogEntry& entry) const {
  if_memory_allows([&] { put_line(line_of(entry, format_, std::chrono::system_clock::now())); });
}

void ServerLog::note(std::string_view text) const {
  if_memory_allows([&] { tell({.event = "note", .message = std::string(text)}); });
}

void ServerLog::warn(std::string_view text) const {
  if_memory_allows([&] { tell({.level = LogLevel::warning, .event = "note", .message = std::string(text)}); });
}

void ServerLog::not_started(std::string_view why) const {
  if_memory_allows([&] { tell({.level = LogLevel::error, .event = "not_started", .message = std::string(why)}); });
}

void ServerLog::failure(std::string_view instruction, Errno error) {
  if_memory_allows([&] { count_failure({instruction, error}); });
}

void ServerLog::count_failure(const Kind& kind) {
  std::uint64_t count = 0;
  std::uint64_t all = 0;
  {
    const std::lock_guard lock(mutex_);
    Failures& failures = failures_[kind];
    all = ++failures.count;
    count = count_to_tell(failures.told_at, failures.untold, kernel::now());
  }
  if (count == 0) return;
  const std::string what = fmt::format("{} answered {}", kind.instruction, explained(kind.error));
  tell({.level = LogLevel::warning,
        .event = "failure",
        .message = all == 1 ? what + "; serving goes on" : fmt::format("{} {} times more", what, count),
        .fields = fields_of(kind, count)});
}

void ServerLog::session_failure(Errno error) {
  const std::uint64_t all = sessions_failed_->fetch_add(1) + 1;
  const std::uint64_t count = count_to_tell(*session_told_at_, *sessions_untold_, kernel::now());
  if (count == 0) return;
  if_memory_allows([&] {
    const std::string what = fmt::format("ended by an unhandled {}", name_of(error));
    tell(
        {.level = LogLevel::error,
         .event = "session_failure",
         .message = all == 1 ? "a session " + what : fmt::format("{} sessions more ended so, the last {}", count, what),
         .fields = {{"errno", std::string(name_of(error))}, {"count", static_cast<std::int64_t>(count)}}});
  });
}

void ServerLog::totals() const { tell_failures(2, "totals"); }

void ServerLog::tell_failures(std::uint64_t least, std::string_view event) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [kind, failures] : failures_) {
    if (failures.count < least) continue;
    if_memory_allows([&] {
      tell({.event = event,
            .message = fmt::format("{} answered {} {} times", kind.instruction, name_of(kind.error), failures.count),
            .fields = fields_of(kind, failures.count)});
    });
  }
}

std::vector<std::pair<std::string_view, LogValue>> ServerLog::fields_of(const Kind& kind, std::uint64_t count) {
  return {{"instruction", std::string(kind.instruction)},
          {"errno", std::string(name_of(kind.error))},
          {"count", static_cast<std::int64_t>(count)}};
}

std::string explained(Errno error) {
  return fmt::format("{} ({})", name_of(error), std::strerror(static_cast<int>(error)));
}

}  // namespace antiphon
