#pragma once

#include "core/instructions.hpp"
#include "core/program.hpp"

namespace antiphon {

/// A server: its result is success, or the error that ended it.
using Server = Program<Net, Result<Unit>>;

/// True for a failure that says nothing about the socket it was answered on: the same instruction may succeed next.
inline bool passes_by_itself(Errno error) {
  return error == Errno::AGAIN || error == Errno::NOBUFS || error == Errno::NOMEM;
}

}  // namespace antiphon
