#pragma once

#include <expected>
#include <string>

#include "interpreters/dump.hpp"

namespace antiphon {

/// Reads the coverage of a program from a file that holds what `echo-verify properties --format json` printed. Errors
/// say what is wrong and where.
std::expected<Passages, std::string> read_coverage(const std::string& path, const std::string& program,
                                                   const ProgramGraph& graph);

}  // namespace antiphon
