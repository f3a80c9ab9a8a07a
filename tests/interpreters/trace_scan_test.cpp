#include "interpreters/trace_scan.hpp"

#include <string>

#include "interpreters/trace_json.hpp"
#include "interpreters/trace_text.hpp"
#include "tests/interpreters/trace_samples.hpp"
#include "tests/rapidcheck.hpp"

namespace antiphon {
namespace {

TEST(TraceScan, ReadsWhatIsWritten) {
  for (const Sample& sample : samples()) {
    const std::string line = event_line(sample.event);
    Event event;
    EXPECT_EQ(scan_event(line, event), !is_left_out(line)) << line;
    EXPECT_TRUE(is_left_out(line) || event == sample.event) << line;
  }
}

TEST(TraceScan, TakesNoOtherForm) {
  for (const std::string_view line : {
           R"({"process":0,"event":0,"end":"ok"} )",
           R"({"process":0, "event":0,"end":"ok"})",
           R"({"event":0,"process":0,"end":"ok"})",
           R"({"process":00,"event":0,"end":"ok"})",
           R"({"process":-0,"event":0,"end":"ok"})",
           R"({"process":18446744073709551616,"event":0,"end":"ok"})",
           R"({"process":0,"event":0,"do":"Accept","listener":0,"answer":1,"child":1})",
           R"({"process":0,"event":0,"do":"Accepts","listener":0,"answer":1})",
           R"({"process":0,"event":0,"do":"SendClose","socket":0,"answer":"ok"})",
           R"({"process":0,"event":0,"do":"Accept","listener":-01,"answer":1})",
           R"({"process":0,"event":0,"do":"Sleep","wait_ms":9223372036854775807,"answer":"ok"})",
           R"({"client":1,"did":"sent","bytes":{"hex":"0"}})",
           R"({"client":1,"did":"sent","bytes":{"hex":"0G"}})",
           R"({"client":1,"did":"sent","bytes":{"digest":"1:00"}})",
           "",
       }) {
    Event event;
    EXPECT_FALSE(scan_event(line, event)) << line;
  }
}

/// Whatever is done to a line: what the fast reader takes, the other takes too, and they agree.
RC_GTEST_PROP(TraceScan, AgreesWithTheOtherReader,
              (std::uint32_t which, std::uint32_t place, char byte, std::uint8_t change)) {
  const auto all = samples();
  std::string line = event_line(all[which % all.size()].event);
  const std::size_t at = place % line.size();
  if (change % 4 == 0) line.erase(at, 1);
  if (change % 4 == 1) line.insert(at, 1, byte);
  if (change % 4 == 2) line[at] = byte;
  if (change % 4 == 3) line.insert(at, 1, line[at]);
  Event scanned;
  if (!scan_event(line, scanned)) return;
  const auto read = read_event(line);
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == scanned);
}

}  // namespace
}  // namespace antiphon
