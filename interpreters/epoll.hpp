#pragma once

#include "interpreters/event_loop.hpp"

namespace antiphon {

/// Runs the server in the calling thread until all its processes have ended: non-blocking calls, and epoll(7) where
/// they would wait. A call is tried first unless it is known to find nothing.
///
/// Throws std::system_error or std::bad_alloc when the kernel has no room for the loop itself.
LoopReport run_on_epoll(const Server& server, const LoopOptions& options);

}  // namespace antiphon
