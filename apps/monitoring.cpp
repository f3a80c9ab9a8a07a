#include "apps/monitoring.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace antiphon {

namespace {

constexpr std::string_view verdict_names[] = {"holds", "violated", "", "incomplete"};  // as in ExitCode

}  // namespace

std::string without_payload(std::string_view sentence) {
  std::string text;
  bool quoted = false;
  for (std::size_t place = 0; place < sentence.size(); ++place) {
    const char byte = sentence[place];
    if (byte == '"') {
      text += quoted ? "\u2026\"" : "\"";
      quoted = !quoted;
    } else if (!quoted) {
      text += byte;
    } else if (byte == '\\') {
      ++place;
    }
  }
  return text;
}

void tell_violation(const ServerLog& log, const verify::Violation& violation, const std::string& who) {
  const char* const party = violation.party == verify::Party::program ? "program" : "interpreter";
  if_memory_allows([&] {
    log.tell({.level = LogLevel::error,
              .event = "violation",
              .message = fmt::format("{}{}: {}: by the {}: {}", who, violation.clause.name, violation.clause.text,
                                     party, without_payload(violation.sentence)),
              .fields = {{"clause", std::string(violation.clause.name)}, {"party", party}},
              .origin = "monitor"});
  });
}

void tell_blind(const ServerLog& log, const std::string& who, std::string_view why) {
  if_memory_allows([&] {
    log.tell({.level = LogLevel::error,
              .event = "blind",
              .message = fmt::format("{}it does not see what follows: {}; serving goes on", who, why),
              .origin = "monitor"});
  });
}

void MonitorReport::add(const verify::Verdict& verdict, const std::string& who) {
  for (const verify::Violation& one : verdict.violations) broken_.insert(one.clause.name);
  for (const std::string& remark : verdict.remarks) remarks_.push_back(who + remark);
  events_ += verdict.tally.events;
  connections_ += verdict.tally.connections;
}

std::string MonitorReport::line() const {
  const std::string seen = fmt::format("{} events, {} connections", events_, connections_);
  if (!broken_.empty()) return fmt::format("violated: {}: {}", seen, fmt::join(broken_, ", "));
  if (remarks_.empty()) return fmt::format("holds: {}", seen);
  const std::string more = remarks_.size() == 1 ? "" : fmt::format(" (and {} more)", remarks_.size() - 1);
  return fmt::format("incomplete: {}: {}{}", seen, remarks_.front(), more);
}

void MonitorReport::tell(const ServerLog& log) const {
  log.tell({.level = code() == ExitCode::violated ? LogLevel::error : LogLevel::info,
            .event = "verdict",
            .message = line(),
            .fields = {{"verdict", std::string(verdict_names[static_cast<std::size_t>(code())])},
                       {"events", static_cast<std::int64_t>(events_)},
                       {"connections", static_cast<std::int64_t>(connections_)}},
            .origin = "monitor"});
}

ExitCode MonitorReport::code() const {
  if (!broken_.empty()) return ExitCode::violated;
  return remarks_.empty() ? ExitCode::holds : ExitCode::incomplete;
}

}  // namespace antiphon
