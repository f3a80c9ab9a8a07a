#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace antiphon {

/// The value of a variable of the environment, which is no longer there afterwards; empty if it was not there.
std::string taken_from_environment(const char* name);

/// A whole number from 0 to a billion seconds in microseconds, and nothing else.
std::optional<std::int64_t> number_in(const std::string& text);

}  // namespace antiphon
