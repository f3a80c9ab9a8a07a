// expect: a loop's state and result need an identity: list the struct's members in `fields`
#include "core/program.hpp"

using namespace antiphon;

struct Count {
  int turns;
};

auto program = iter(Count{0}, [](const Count& count) { return ret(Step<Count, int>{Break{count.turns}}); });
