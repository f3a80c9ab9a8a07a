#include "apps/input_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace antiphon {

std::expected<std::unique_ptr<std::istream>, std::string> opened(const std::string& path) {
  auto file = std::make_unique<std::ifstream>(path, std::ios::binary);
  if (!*file) return std::unexpected(fmt::format("'{}': {}", path, std::strerror(errno)));
  if (std::filesystem::is_directory(path)) return std::unexpected(path + ": it is a directory");
  return file;
}

}  // namespace antiphon
