// expect: the body continues with another type of state
#include "core/program.hpp"

using namespace antiphon;

auto program = iter(0, [](const int&) { return ret(Step<long, int>{Continue{1L}}); });
