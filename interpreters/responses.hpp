#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/bytes.hpp"
#include "core/effects.hpp"
#include "core/instructions.hpp"
#include "core/result.hpp"
#include "interpreters/operands.hpp"

/// What the world can answer an instruction with, for those who try everything.

namespace antiphon {

/// Every errno that the manual pages of section 2 give for the system calls behind an instruction,
/// on TCP sockets, in ascending order. EXPIRED and STOPPING are not among them: they depend on the
/// instruction's deadline. `instruction` is the `code_of` its name; an instruction of no kernel has
/// no errors.
std::span<const Errno> errors_of(std::uint32_t instruction);

template <Instruction I>
std::span<const Errno> errors_of() {
  return errors_of(code_of(I::name));
}

/// An errno that no list holds (EHWPOISON): what a program does with it, it does with any error it
/// does not know.
inline constexpr Errno unlisted_error{133};

/// Whether the process has an alarm once the instruction was answered, if it had one before.
template <Instruction I>
bool has_alarm_after(bool had_one, const I& instruction, const typename I::Response& response) {
  if constexpr (std::same_as<I, Alarm>) return instruction.wait_ms != forever_ms;
  if constexpr (std::same_as<I, Fork>) return had_one && !(response && std::holds_alternative<Child>(*response));
  return had_one;
}

/// Calls `visit(error)` for each error that the instruction can be answered, and one that it is not known to give.
template <Instruction I, class Visit>
void for_each_failure(const I& instruction, bool has_alarm, Visit&& visit) {
  if constexpr (std::same_as<I, Alarm>) return;
  for (const Errno error : errors_of<I>()) visit(error);
  visit(unlisted_error);
  const Deadline until = deadline_of(instruction);
  // (The end of a Sleep is its answer.)
  if constexpr (requires { instruction.until; }) {
    if (until.wait_ms != forever_ms || has_alarm) visit(Errno::EXPIRED);
  }
  if (until.drain_ms != forever_ms) visit(Errno::STOPPING);
}

/// A full message is never longer, whatever a program asks for.
inline constexpr std::size_t longest_message = std::size_t{1} << 20U;

/// A message that stands for any content of its size: known by its name, which is above 0. Who looks is noticed.
Bytes message_of_any_content(std::uint32_t name, std::size_t size);

}  // namespace antiphon
