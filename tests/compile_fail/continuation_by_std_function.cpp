// expect: a continuation is a lambda: function pointers share one type and so have no place in the program
#include <functional>

#include "core/instructions.hpp"
#include "core/program.hpp"

using namespace antiphon;

auto go_on(const std::function<Program<Sockets, int>(const Result<Socket>&)>& next) { return Accept{} >> next; }
