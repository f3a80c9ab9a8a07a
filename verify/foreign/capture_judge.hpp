#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "interpreters/bad_input.hpp"
#include "verify/judge.hpp"

namespace antiphon::verify {

/// Judges any echo server by a capture of the wire: `echo`, `isolation` and `answered`. Its side of a connection is the
/// one with this port; without one, the one that was connected to. Bad input: what is no capture, or one that cuts
/// short what a client or the server said. Its line is the packet's number, 0 for the file itself.
std::expected<Verdict, BadInput> judge_capture(const std::string& path, std::optional<std::int64_t> port);

}  // namespace antiphon::verify
