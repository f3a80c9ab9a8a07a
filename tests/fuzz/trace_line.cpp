#include "tests/fuzz/trace_line.hpp"

#include <string>

#include "interpreters/trace_json.hpp"
#include "interpreters/trace_text.hpp"
#include "tests/fuzz/harness.hpp"
#include "tests/interpreters/trace_samples.hpp"

namespace antiphon::fuzz {

void try_line(std::string_view line, FastReader fast) {
  const auto want = [&](bool condition, const std::string& what) {
    if (!condition) give_up(what + ": " + std::string(line));
  };
  const auto read = read_event(line);
  Event scanned;
  const bool is_fast = fast(line, scanned);
  want(!is_fast || read.has_value(), "the fast reader takes a line that the other one refuses");
  if (!read) return;
  want(!is_fast || *read == scanned, "the two readers read different events");
  const std::string written = event_line(*read);
  const auto again = read_event(written);
  want(again.has_value(), "a line that was written does not read");
  want(event_line(*again) == written, "a line that was written is written otherwise");
  // A digest is lost where an answer cuts its bytes elsewhere than it is known at. No writer does that.
  const bool has_digest = written.find(R"({"digest":)") != std::string::npos;
  want(has_digest || *again == *read, "an event that was written comes back as another");
  want(has_digest || is_left_out(written) || fast(written, scanned), "the fast reader refuses a line as it is written");
}

}  // namespace antiphon::fuzz
