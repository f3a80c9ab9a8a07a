// The two readers of a trace's lines, and the reader of traces.

#include <algorithm>
#include <sstream>
#include <string>

#include "interpreters/trace_reader.hpp"
#include "interpreters/trace_scan.hpp"
#include "tests/fuzz/harness.hpp"
#include "tests/fuzz/trace_line.hpp"

namespace antiphon::fuzz {

namespace {

void read_whole(std::string_view input) {
  std::istringstream text{std::string(input)};
  TraceReader reader(text);
  const auto header = reader.header();
  if (!header) return demand_place_in(input, header.error());
  for (;;) {
    const auto event = reader.next();
    if (!event) return demand_place_in(input, event.error());
    if (!*event) break;
  }
  demand(reader.cut() == !input.ends_with('\n'), "a trace is cut where its last line has no end, and only there");
}

}  // namespace

void try_input(std::string_view input) {
  read_whole(input);
  while (!input.empty()) {
    const std::string_view line = input.substr(0, input.find('\n'));
    try_line(line, scan_event);
    input.remove_prefix(std::min(line.size() + 1, input.size()));
  }
}

}  // namespace antiphon::fuzz
