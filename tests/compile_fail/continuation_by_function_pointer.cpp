// expect: a continuation is a lambda: function pointers share one type and so have no place in the program
#include "core/instructions.hpp"
#include "core/program.hpp"

using namespace antiphon;

Program<Sockets, int> next(const Result<Socket>&) { return ret(1); }

auto program = Accept{} >> &next;
