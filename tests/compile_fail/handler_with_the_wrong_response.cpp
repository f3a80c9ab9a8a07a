// expect: the handler gives no meaning to an instruction of the program's effect set
#include "core/handler.hpp"
#include "core/instructions.hpp"

using namespace antiphon;

Result<Unit> answer(const Program<Clock, Result<Unit>>& program) {
  return run(program, [](const Sleep&) { return "slept"; });
}
