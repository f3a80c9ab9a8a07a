// expect: the handler gives no meaning to an instruction of the program's effect set
#include "core/handler.hpp"
#include "core/instructions.hpp"

using namespace antiphon;

struct Deaf {
  Result<std::size_t> operator()(const Send& send) const { return send.bytes.size(); }
};

Result<Bytes> answer(const Program<Effects<Recv, Send>, Result<Bytes>>& program) { return run(program, Deaf()); }
