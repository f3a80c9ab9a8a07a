// The compact form of events: garbage, and what is made of it.

#include "interpreters/event_bytes.hpp"

#include <string>

#include "interpreters/trace_text.hpp"
#include "tests/fuzz/harness.hpp"

namespace antiphon::fuzz {

namespace {

std::string digested(const ProcessEvent& event) {
  std::string line;
  append_line(line, event, Payload::digest);
  return line;
}

}  // namespace

void try_input(std::string_view input) {
  for (;;) {
    const std::string_view before = input;
    const auto event = take_event(input);
    if (!event) {
      demand(input == before, "bytes that are no event were taken off");
      return;
    }
    demand(input.size() < before.size(), "an event was made of nothing");
    std::string bytes;
    append_bytes(bytes, *event);
    std::string_view rest = bytes;
    const auto again = take_event(rest);
    demand(again && rest.empty(), "what was written is not one event");
    const std::string line = event_line(*event);
    const std::string line_again = event_line(*again);
    // Of long messages there are the digests.
    const bool has_digest = line_again.find(R"({"digest":)") != std::string::npos;
    const bool is_same = digested(*event) == digested(*again) && (has_digest || line == line_again);
    if (!is_same)
      give_up(std::string("an event comes back as another: ").append(line).append(" -> ").append(line_again));
  }
}

}  // namespace antiphon::fuzz
