// expect: a continuation takes the response of what it follows, as `const T&`, and is not `mutable`
#include "core/instructions.hpp"
#include "core/program.hpp"

using namespace antiphon;

auto two_steps(const Program<Sockets, Result<Bytes>>& first) {
  return first >> [](const Result<Socket>&) { return ret(1); };
}
