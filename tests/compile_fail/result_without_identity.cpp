// expect: a loop's state and result need an identity: list the struct's members in `fields`
#include "core/program.hpp"

using namespace antiphon;

struct Count {
  int turns;
};

auto program = iter(0, [](const int& turns) { return ret(Step<int, Count>{Break{Count{turns}}}); });
