// expect: the body of a loop ends in Step<S, A>: Continue{state} or Break{result}
#include "core/instructions.hpp"
#include "core/program.hpp"

using namespace antiphon;

auto program = iter(0, [](const int& turn) { return ignore(Sleep{turn}); });
