// Must crash: `trace` with a fast reader that takes a line although something follows it.

#include "interpreters/trace_scan.hpp"
#include "tests/fuzz/harness.hpp"
#include "tests/fuzz/trace_line.hpp"

namespace antiphon::fuzz {

void try_input(std::string_view input) {
  try_line(input.substr(0, input.find('\n')),
           [](std::string_view line, Event& event) { return scan_event(line.substr(0, line.rfind('}') + 1), event); });
}

}  // namespace antiphon::fuzz
