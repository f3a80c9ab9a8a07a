#pragma once

#include <optional>
#include <string>

#include "interpreters/event_loop.hpp"

namespace antiphon {

/// Runs the server in the calling thread until all its processes have ended, by io_uring(7): multishot accept,
/// receives into a ring of buffers, sends from the same buffers, one system call for all that a wake-up brings.
///
/// What was received or accepted ahead of the program is bounded, and cannot be told from what waits in the kernel.
///
/// Throws std::system_error or std::bad_alloc when the kernel has no room for the loop itself.
LoopReport run_on_uring(const Server& server, const LoopOptions& options);

/// Why this kernel cannot run it, in a few words; none if it can.
std::optional<std::string> why_no_uring();

}  // namespace antiphon
