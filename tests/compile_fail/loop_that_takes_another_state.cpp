// expect: the body of a loop takes its state, as `const S&`, and is not `mutable`
#include <string>

#include "core/program.hpp"

using namespace antiphon;

auto program = iter(0, [](const std::string&) { return ret(Step<int, int>{Break{1}}); });
