// The compact form of events: garbage, and what is made of it.

#include "interpreters/event_bytes.hpp"

#include <string>

#include "interpreters/trace_text.hpp"
#include "tests/fuzz/harness.hpp"

namespace antiphon::fuzz {

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
    demand(event_line(*again) == event_line(*event), "an event that was written comes back as another");
  }
}

}  // namespace antiphon::fuzz
