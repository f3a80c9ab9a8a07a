#pragma once

#include <expected>
#include <istream>
#include <memory>
#include <string>

namespace antiphon {

/// A file that is to be read. Error: one line that names it and says why it cannot be.
std::expected<std::unique_ptr<std::istream>, std::string> opened(const std::string& path);

}  // namespace antiphon
