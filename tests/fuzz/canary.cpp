// Must crash: reads one byte too many once it is given four certain ones. A run that does not find that is not worth
// anything, since the fuzzer or AddressSanitizer does nothing in it.

#include <string>

#include "tests/fuzz/harness.hpp"

namespace antiphon::fuzz {

void try_input(std::string_view input) {
  const std::string copy(input);
  const bool is_found = copy.starts_with("call");
  const std::size_t beyond = copy.capacity() + 1;
  if (is_found && copy.size() > 32) demand(copy.data()[beyond] != '\0', "this byte belongs to nobody");
}

}  // namespace antiphon::fuzz
