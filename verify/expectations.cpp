#include "verify/expectations.hpp"

#include <utility>

namespace antiphon::verify {

Expectations expectations_of(std::string_view program, const ProgramOptions& options) {
  return {.answers = program == "once" ? Answers::first_message : Answers::everything,
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

Expectations expectations_of(const TraceHeader& header, std::string_view program) {
  Expectations expected = expectations_of(program, options_of(header));
  expected.workers = header.workers;
  return expected;
}

Generation generation_for(const Expectations& expectations, std::uint32_t most_clients, std::vector<bool> faults) {
  return {.most_clients = most_clients,
          .faults = std::move(faults),
          .most_addresses = expectations.max_per_address == unlimited ? 1U : 2U,
          .full_buffers = expectations.progress_ms != forever_ms};
}

}  // namespace antiphon::verify
