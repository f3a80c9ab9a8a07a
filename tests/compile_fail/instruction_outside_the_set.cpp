// expect: the program issues an instruction that its effect set does not have
#include "core/instructions.hpp"
#include "core/program.hpp"

using namespace antiphon;

Program<Clock, Unit> hang_up(Socket client) { return ignore(Close{client}); }
