#include "apps/server_log.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <system_error>

namespace antiphon {

namespace {

/// A reader that went away is no reason to end: what cannot be written is lost.
void put(std::FILE* stream, const std::string& text) {
  std::fputs(text.c_str(), stream);
  std::fflush(stream);
}

}  // namespace

void ServerLog::listening(const Endpoint& bound) {
  has_listened_ = true;
  put(stdout, fmt::format("listening on {} (interpreter {})\n", text_of(bound), interpreter_));
}

void ServerLog::failure(std::string_view instruction, Errno error) {
  if (++failures_[Kind{instruction, error}] > 1) return;
  note(fmt::format("{} answered {}; serving goes on", instruction, explained(error)));
}

void ServerLog::note(const std::string& text) const { put(stderr, fmt::format("echo-server: {}\n", text)); }

void ServerLog::totals() const {
  for (const auto& [kind, count] : failures_) {
    if (count > 1) note(fmt::format("{} answered {} {} times", kind.instruction, name_of(kind.error), count));
  }
}

std::string explained(Errno error) {
  return fmt::format("{} ({})", name_of(error), std::generic_category().message(static_cast<int>(error)));
}

}  // namespace antiphon
