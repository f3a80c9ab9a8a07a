// The reader of captures, and the judge of what is read.

#include "interpreters/capture.hpp"

#include <optional>
#include <string>

#include "tests/fuzz/harness.hpp"
#include "verify/foreign/capture_judge.hpp"

namespace antiphon::fuzz {

namespace {

/// Of a bad packet the number is told; 0 is the file itself.
void demand_packet(const BadInput& bad, std::size_t size) {
  demand_one_line(bad.what);
  demand(bad.line <= size, "bad input is said to be in a packet that is not there");
}

void read(const std::string& path, std::size_t size) {
  auto reader = wire::Reader::open(path);
  if (!reader) return demand_packet(reader.error(), size);
  for (;;) {
    const auto segment = reader->next();
    if (!segment) return demand_packet(segment.error(), size);
    if (!*segment) return;
    const wire::Segment& one = **segment;
    demand(one.packet == reader->packets(), "a segment is not of the packet that was read last");
    demand(one.from.host.size() == one.to.host.size(), "a segment between two kinds of addresses");
    demand(one.payload.size() <= size, "a segment has more bytes than the capture");
    demand_one_line(wire::text_of(one.from));
  }
}

}  // namespace

void try_input(std::string_view input) {
  const std::string& path = file_of(input);
  read(path, input.size());
  const auto verdict = verify::judge_capture(path, std::nullopt);
  if (!verdict) return demand_packet(verdict.error(), input.size());
  demand_sound(*verdict);
  demand_same(*verdict, *verify::judge_capture(path, std::nullopt));
  if (const auto of_port = verify::judge_capture(path, 7000)) demand_sound(*of_port);
}

}  // namespace antiphon::fuzz
