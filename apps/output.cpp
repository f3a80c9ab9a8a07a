#include "apps/output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace antiphon {

ExitCode print(std::string_view program, const std::string& text, ExitCode code) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (written) return code;
  const std::string line = std::string(program) + ": cannot write to standard output: " + std::strerror(errno) + '\n';
  std::fputs(line.c_str(), stderr);
  return ExitCode::bad_input;
}

ExitCode leave(std::string_view program, const Farewell& farewell) {
  if (farewell.code == ExitCode::holds) return print(program, farewell.text, farewell.code);
  std::fputs(farewell.text.c_str(), stderr);
  return farewell.code;
}

}  // namespace antiphon
