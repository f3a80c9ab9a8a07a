// expect: the body of a loop returns a program of Step<S, A>
#include "core/program.hpp"

using namespace antiphon;

auto program = iter(0, [](const int& turn) { return turn + 1; });
