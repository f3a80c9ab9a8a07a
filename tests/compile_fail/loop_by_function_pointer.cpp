// expect: the body of a loop is a lambda
#include "core/program.hpp"

using namespace antiphon;

Program<Effects<>, Step<int, int>> body(const int& turn) { return ret(Step<int, int>{Break{turn}}); }

auto program = iter(0, &body);
