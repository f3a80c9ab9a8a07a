#pragma once

#include <cstddef>
#include <string>

namespace antiphon {

/// What a reader cannot make sense of: the line, from 1, and one sentence without a full stop.
struct BadInput {
  std::size_t line;
  std::string what;

  bool operator==(const BadInput&) const = default;
};

/// The same, with as much as fits one line of a sentence that shows a text from outside.
BadInput bad_input(std::size_t line, std::string what);

}  // namespace antiphon
