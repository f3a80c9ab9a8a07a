#pragma once

#include <expected>
#include <optional>
#include <string>

#include "apps/arguments.hpp"
#include "interpreters/dump.hpp"

namespace antiphon {

/// What echo-dump was asked to print.
struct DumpArguments {
  std::string program = "stream";
  DumpFormat format = DumpFormat::tree;
  bool identity = false;                ///< The identity alone.
  std::optional<std::string> coverage;  ///< The file that has the runs to be shown.
};

/// Reads the command line of echo-dump. Errors are one line that names the option.
std::expected<DumpArguments, Farewell> read_dump_arguments(int count, const char* const* values);

}  // namespace antiphon
