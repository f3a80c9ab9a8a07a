#pragma once

#include <cstdint>
#include <span>

#include "core/effects.hpp"
#include "core/result.hpp"

/// What the world can answer an instruction with when it fails.

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

}  // namespace antiphon
