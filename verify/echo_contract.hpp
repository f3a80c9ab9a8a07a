#pragma once

#include "verify/contracts/answered.hpp"
#include "verify/contracts/buffer.hpp"
#include "verify/contracts/delivered.hpp"
#include "verify/contracts/echo.hpp"
#include "verify/contracts/ends_side.hpp"
#include "verify/contracts/input_read.hpp"
#include "verify/contracts/kernel.hpp"
#include "verify/contracts/processes.hpp"
#include "verify/contracts/progress_limit.hpp"
#include "verify/contracts/rests.hpp"
#include "verify/contracts/roles.hpp"
#include "verify/contracts/sockets.hpp"
#include "verify/contracts/starts.hpp"
#include "verify/contracts/waiting.hpp"
#include "verify/judge.hpp"

namespace antiphon::verify {

/// The contracts of the echo server.
inline auto echo_server(const Expectations& expected) {
  const TimeLimits limits{expected.idle_ms, expected.progress_ms};
  return (Echo{expected.answers} ^ Answered{limits} ^ EndsSide{expected.answers, limits} ^
          BufferSize{expected.answers, expected.at_most}) *
         InputRead{limits, expected.places()} * OnlyWhileOpen{} * AllReleased{} * Roles{} * OwnConnection{} * Reaped{} *
         Handled{} * Starts{} * AcceptorLives{} * Rests{} * IdleLimit{expected.idle_ms} *
         ProgressLimit{expected.progress_ms} * Drained{expected.drain_ms} * (Admission{} ^ NobodyWaits{}) *
         (Delivered{expected.answers, limits, expected.places()} ^ Served{expected.answers});
}

using EchoServer = decltype(echo_server({}));

/// The same, and what is promised to it from below: for runs that somebody else made.
inline auto echo_server_on_kernel(const Expectations& expected) { return echo_server(expected) * Kernel{}; }

using EchoServerOnKernel = decltype(echo_server_on_kernel({}));

}  // namespace antiphon::verify
