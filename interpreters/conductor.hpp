#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <variant>

#include "core/handler.hpp"
#include "core/instructions.hpp"
#include "core/trace.hpp"

/// Runs on the kernel that somebody conducts: each process waits for its cue before each instruction, and is told how
/// to carry it out. So a run can be made to go as another one went.

namespace antiphon {

/// How an instruction is carried out.
struct Cue {
  std::optional<Errno> answer;  ///< What it answers; the kernel is not asked. (What is closed is closed all the same.)
  std::optional<Bytes> receives;    ///< The same for a Recv that answers no error.
  bool disconnects = false;         ///< With an answer: the connection is reset.
  std::optional<std::size_t> most;  ///< Bytes that a Recv asks for and a Send offers, at most; of Listen the backlog.
  bool expires = false;             ///< It waits for nothing: if nothing is there it answers EXPIRED.
  bool stops = false;               ///< It waits for the stop, and nothing is granted after that.
  ProcessId child = 0;              ///< Of a Fork: the number of the new process.
};

class Conductor {
 public:
  virtual ~Conductor() = default;
  /// Whether the process may carry out its instruction, or end: its event of this number. None: not yet; it asks again.
  virtual std::optional<Cue> cue(ProcessId process, std::uint64_t event) = 0;
};

/// The instruction as it is carried out. It is recorded as it was issued.
template <Instruction I>
I directed(I instruction, const Cue& cue) {
  if constexpr (requires { instruction.until; }) {
    if (cue.expires) instruction.until.wait_ms = 0;
    if (cue.stops) instruction.until = {.wait_ms = forever_ms, .drain_ms = 0};
  }
  if constexpr (std::same_as<I, Sleep>) {
    if (cue.expires) instruction.wait_ms = 0;
  }
  // What it would cut short has a cue to expire.
  if constexpr (std::same_as<I, Alarm>) instruction.wait_ms = forever_ms;
  if (!cue.most) return instruction;
  const std::size_t most = *cue.most;
  if constexpr (std::same_as<I, Recv>) instruction.at_most = std::min(instruction.at_most, most);
  if constexpr (std::same_as<I, Send>)
    instruction.bytes = instruction.bytes.take(std::min(instruction.bytes.size(), most));
  if constexpr (std::same_as<I, Listen>) {
    const std::size_t largest = std::numeric_limits<int>::max();
    instruction.backlog = std::min(instruction.backlog, static_cast<int>(std::min(most, largest)));
  }
  return instruction;
}

/// What the instruction answers without the kernel, if so.
template <Instruction I>
std::optional<typename I::Response> given_answer(const Cue& cue) {
  if (cue.answer) return failed(*cue.answer);
  if constexpr (std::same_as<I, Recv>) return cue.receives;
  return std::nullopt;
}

/// The socket that a failure of the instruction would be about, if it is a connection.
inline std::optional<Socket> connection_of(const Recv& recv) { return recv.from; }
inline std::optional<Socket> connection_of(const Send& send) { return send.to; }
inline std::optional<Socket> connection_of(const ShutdownSend& shutdown) { return shutdown.socket; }
inline std::optional<Socket> connection_of(const auto&) { return std::nullopt; }

/// Another handler, conducted. Recorded from outside: `Recording(Conducted(handler, conductor), sink)`.
template <class Handler>
class Conducted {
 public:
  /// Refers to both; they outlive it.
  Conducted(Handler& handler, Conductor& conductor) : handler_(&handler), conductor_(&conductor) {}

  template <Instruction I>
    requires Handles<Handler, I>
  typename I::Response operator()(const I& instruction) {
    const Cue cue = await_cue();
    const auto given = given_answer<I>(cue);
    if (!given) return (*handler_)(directed(instruction, cue));
    if constexpr (std::same_as<I, Close>) static_cast<void>((*handler_)(instruction));
    if (const auto socket = connection_of(instruction); socket && cue.disconnects) handler_->disconnect(*socket);
    return *given;
  }

  Fork::Response operator()(const Fork& instruction)
    requires Handles<Handler, Fork>
  {
    const Cue cue = await_cue();
    if (cue.answer) return failed(*cue.answer);
    Fork::Response response = (*handler_)(instruction);
    if (response && std::holds_alternative<Child>(*response)) {
      process_ = cue.child;
      event_ = 1;  // the Fork is its first
    }
    return response;
  }

 private:
  Cue await_cue() {
    for (;;) {
      if (const auto cue = conductor_->cue(process_, event_)) {
        ++event_;
        return *cue;
      }
    }
  }

  Handler* handler_;
  Conductor* conductor_;
  ProcessId process_ = 0;
  std::uint64_t event_ = 0;
};

}  // namespace antiphon
