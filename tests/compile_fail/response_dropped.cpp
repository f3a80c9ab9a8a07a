// expect: the response is dropped: take it in a continuation, or say `ignore(program) >> next`
#include "core/instructions.hpp"
#include "core/program.hpp"

using namespace antiphon;

auto program = Recv{{}, 1024, {}} >> ret(1);
