// expect: the program issues an instruction that its effect set does not have
#include "core/instructions.hpp"
#include "core/program.hpp"

using namespace antiphon;

Program<Sockets, Unit> serve(const Program<Net, Unit>& server) { return server; }
