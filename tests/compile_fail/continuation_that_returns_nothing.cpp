// expect: a continuation returns a program, an instruction or `ret(value)`
#include "core/instructions.hpp"
#include "core/program.hpp"

using namespace antiphon;

auto program = Accept{} >> [](const Result<Socket>&) {};
