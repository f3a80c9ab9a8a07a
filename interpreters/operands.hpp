#pragma once

#include <concepts>

#include "core/effects.hpp"
#include "core/instructions.hpp"

/// What instructions have in common: the socket that they are about, and how long they may wait.

namespace antiphon {

// The socket that an instruction is about.
inline Socket socket_of(const Listen& listen) { return listen.listener; }
inline Socket socket_of(const Accept& accept) { return accept.listener; }
inline Socket socket_of(const Recv& recv) { return recv.from; }
inline Socket socket_of(const Send& send) { return send.to; }
inline Socket socket_of(const ShutdownSend& shutdown) { return shutdown.socket; }
inline Socket socket_of(const Close& close) { return close.socket; }

template <class I>
concept OnSocket = requires(const I& instruction) {
  { socket_of(instruction) } -> std::same_as<Socket>;
};

/// How long it may wait, in silence and after a stop. What never waits has no limits.
template <Instruction I>
constexpr Deadline deadline_of(const I& instruction) {
  if constexpr (requires { instruction.until; }) {
    return instruction.until;
  } else if constexpr (std::same_as<I, Sleep>) {
    return {.wait_ms = instruction.wait_ms, .drain_ms = 0};
  } else if constexpr (std::same_as<I, Accept>) {
    return {.wait_ms = forever_ms, .drain_ms = 0};
  } else {
    return {.wait_ms = forever_ms, .drain_ms = forever_ms};
  }
}

}  // namespace antiphon
