#include "apps/output.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace antiphon {

namespace {

std::string in_quotes(const std::string& path, const std::string& why) { return "'" + path + "': " + why; }

}  // namespace

ExitCode print(std::string_view program, const std::string& text, ExitCode code) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (written) return code;
  const std::string line = std::string(program) + ": cannot write to standard output: " + std::strerror(errno) + '\n';
  std::fputs(line.c_str(), stderr);
  return ExitCode::bad_input;
}

std::optional<std::string> cannot_make(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) {
    return in_quotes(path, "it is there already, and is not overwritten");
  }
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const std::string checked = folder.empty() ? "." : folder.string();
  if (path.empty() || access(checked.c_str(), W_OK | X_OK) != 0) {
    return in_quotes(path, path.empty() ? "no file is named" : std::strerror(errno));
  }
  return std::nullopt;
}

std::optional<std::string> make_file(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "wx");
  if (file == nullptr) return in_quotes(path, std::strerror(errno));
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const int error = errno;
  if (std::fclose(file) == 0 && written) return std::nullopt;
  return in_quotes(path, std::strerror(written ? errno : error));
}

ExitCode leave(std::string_view program, const Farewell& farewell) {
  if (farewell.code == ExitCode::holds) return print(program, farewell.text, farewell.code);
  std::fputs(farewell.text.c_str(), stderr);
  return farewell.code;
}

}  // namespace antiphon
