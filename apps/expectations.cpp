#include "apps/expectations.hpp"

namespace antiphon {

verify::Expectations expectations(std::string_view program, const Deadline& until, std::int64_t max_connections) {
  const auto answers = program == "once" ? verify::Answers::first_message : verify::Answers::everything;
  return {answers, until.wait_ms, until.drain_ms, max_connections};
}

verify::Expectations expectations_of(const TraceHeader& header, std::string_view program) {
  verify::Expectations expected = expectations(program, {header.idle_ms, header.drain_ms}, header.max_connections);
  expected.at_most = static_cast<std::int64_t>(header.at_most);
  expected.workers = header.workers;
  expected.progress_ms = header.progress_ms;
  return expected;
}

}  // namespace antiphon
