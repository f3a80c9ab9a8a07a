// expect: a continuation is a lambda: function pointers share one type and so have no place in the program
#include "core/instructions.hpp"
#include "core/program.hpp"

using namespace antiphon;

bool succeeded(const Result<Socket>& client) { return client.has_value(); }

auto program = map(Accept{}, &succeeded);
