// expect: the body of a loop is a lambda
#include <functional>

#include "core/program.hpp"

using namespace antiphon;

auto loop(const std::function<Program<Effects<>, Step<int, int>>(const int&)>& body) { return iter(0, body); }
