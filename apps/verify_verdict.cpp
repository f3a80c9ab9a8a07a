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

}  // namespace antiphon
