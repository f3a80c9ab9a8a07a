#include "apps/expectations.hpp"

namespace antiphon {

verify::Expectations expectations(std::string_view program, const ProgramOptions& options) {
  return {.answers = program == "once" ? verify::Answers::first_message : verify::Answers::everything,
          .idle_ms = options.session.until.wait_ms,
          .drain_ms = options.session.until.drain_ms,
          .max_connections = options.server.max_connections,
          .max_per_address = options.server.max_per_address,
          .at_most = static_cast<std::int64_t>(options.session.at_most),
          .progress_ms = options.session.progress_ms};
}

ProgramOptions options_of(const TraceHeader& header) {
  return {.server = {.at = header.at,
                     .backlog = header.backlog,
                     .max_connections = header.max_connections,
                     .max_per_address = header.max_per_address},
          .session = {.at_most = header.at_most,
                      .until = {.wait_ms = header.idle_ms, .drain_ms = header.drain_ms},
                      .progress_ms = header.progress_ms}};
}

verify::Expectations expectations_of(const TraceHeader& header, std::string_view program) {
  verify::Expectations expected = expectations(program, options_of(header));
  expected.workers = header.workers;
  return expected;
}

}  // namespace antiphon
