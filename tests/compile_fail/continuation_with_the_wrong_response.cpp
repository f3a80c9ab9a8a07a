// expect: a continuation takes the response of what it follows, as `const T&`, and is not `mutable`
#include "core/instructions.hpp"
#include "core/program.hpp"

using namespace antiphon;

auto program = Accept{} >> [](const Result<Bytes>&) { return ret(1); };
