// expect: the body of a loop takes its state, as `const S&`, and is not `mutable`
#include "core/program.hpp"

using namespace antiphon;

auto program = iter(0, [count = 0](const int&) mutable { return ret(Step<int, int>{Break{++count}}); });
