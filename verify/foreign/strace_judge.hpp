#pragma once

#include <cstdint>
#include <expected>
#include <istream>
#include <optional>

#include "interpreters/bad_input.hpp"
#include "verify/judge.hpp"

namespace antiphon::verify {

/// Judges any echo server by a log of `strace -f -xx -s N`: `echo`, `isolation`, `answered` and `descriptors`, end to
/// end, whatever processes and pipes the bytes go through on their way. `port`: clients of other listeners are left
/// alone. Bad input: what is no log of strace, or one that cuts short what a client said.
std::expected<Verdict, BadInput> judge_strace(std::istream& log, std::optional<std::int64_t> port);

}  // namespace antiphon::verify
