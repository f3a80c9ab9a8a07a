#include "apps/verify_verdict.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace antiphon {

ExitCode code_of(verify::Ruling ruling) {
  switch (ruling) {
    case verify::Ruling::holds:
      return ExitCode::holds;
    case verify::Ruling::violated:
      return ExitCode::violated;
    case verify::Ruling::incomplete:
      break;
  }
  return ExitCode::incomplete;
}

ExitCode refused(const std::string& why) {
  fmt::print(stderr, "{}: {}\n", own_name, why);
  return ExitCode::bad_input;
}

void show_progress(const std::string& text) {
  if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\033[K{}", text);
}

verify::Expectations expectations(std::string_view program, const Deadline& until, std::int64_t max_connections) {
  const auto answers = program == "once" ? verify::Answers::first_message : verify::Answers::everything;
  return {answers, until.wait_ms, until.drain_ms, max_connections};
}

}  // namespace antiphon
