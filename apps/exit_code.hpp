#pragma once

namespace antiphon {

/// What a program's exit status says. All programs of the project use it alike.
enum class ExitCode : int {
  holds = 0,       ///< It ran, and what it checked holds.
  violated = 1,    ///< It ran, and something is wrong: a contract is violated, a server failed.
  bad_input = 2,   ///< It did not run: usage, or input that it cannot take. One line says what and where.
  incomplete = 3,  ///< It ran, and what it saw allows no verdict.
};

constexpr int status_of(ExitCode code) { return static_cast<int>(code); }

}  // namespace antiphon
