#include "apps/server_log.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace antiphon {

// (One write of a line to a pipe that is ready for it does not wait.)
void put_line(const std::string& text) {
  pollfd out{STDERR_FILENO, POLLOUT, 0};
  if (poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0) return;
  // Nothing is left to be done about a line that does not go out.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

void ServerLog::listening(const Endpoint& bound) {
  has_listened_ = true;
  std::fputs(fmt::format("listening on {} (interpreter {})\n", text_of(bound), interpreter_).c_str(), stdout);
  std::fflush(stdout);
}

void ServerLog::failure(std::string_view instruction, Errno error) {
  {
    const std::lock_guard lock(mutex_);
    if (++failures_[Kind{instruction, error}] > 1) return;
  }
  note(fmt::format("{} answered {}; serving goes on", instruction, explained(error)));
}

void ServerLog::note(const std::string& text) const { put_line(fmt::format("echo-server: {}\n", text)); }

void ServerLog::totals() const {
  const std::lock_guard lock(mutex_);
  for (const auto& [kind, count] : failures_) {
    if (count > 1) note(fmt::format("{} answered {} {} times", kind.instruction, name_of(kind.error), count));
  }
}

std::string explained(Errno error) {
  return fmt::format("{} ({})", name_of(error), std::strerror(static_cast<int>(error)));
}

}  // namespace antiphon
