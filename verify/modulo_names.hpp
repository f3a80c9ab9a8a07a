#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "core/process.hpp"
#include "core/trace.hpp"

/// Whether two runs do the same, whatever things are called in each: pids, addresses and the letters of messages count
/// for nothing, but how many letters there are does, and so do the numbers of sockets, which every interpreter gives
/// out alike.

namespace antiphon::verify {

/// Which operands of instructions are compared.
enum class Operands : std::uint8_t {
  all,      ///< Of messages the size.
  sockets,  ///< And the sizes of messages: not what a program was made from, as its address, limits and deadlines.
};

/// Whether both are the same instruction, answered alike.
bool same_exchange(const AnyExchange<Net>& one, const AnyExchange<Net>& other, Operands operands);
/// The same of an instruction alone.
bool same_instruction(const AnyExchange<Net>& one, const AnyExchange<Net>& other, Operands operands);

/// The instruction that the process stands at, unanswered. It has not finished.
template <class Process>
AnyExchange<Net> unanswered(const Process& process) {
  AnyExchange<Net> exchange;
  process.pending([&]<class I>(const I& instruction) { exchange = Exchange<I>{instruction, std::nullopt}; });
  return exchange;
}

/// "Recv 1"
std::string instruction_text(const AnyExchange<Net>& exchange);
/// "3 bytes", "the end", "ECONNRESET", "nothing yet"
std::string answer_text(const AnyExchange<Net>& exchange);

}  // namespace antiphon::verify
