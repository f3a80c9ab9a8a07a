#include "apps/monitoring.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/server_log.hpp"

namespace antiphon {

void tell_violation(const verify::Violation& violation, const std::string& who) {
  const char* const party = violation.party == verify::Party::program ? "program" : "interpreter";
  put_line(fmt::format("monitor: {}{}: {}: by the {}: {}\n", who, violation.clause.name, violation.clause.text, party,
                       violation.sentence));
}

void MonitorReport::add(const verify::Verdict& verdict, const std::string& who) {
  for (const verify::Violation& one : verdict.violations) broken_.insert(one.clause.name);
  for (const std::string& remark : verdict.remarks) remarks_.push_back(who + remark);
  events_ += verdict.tally.events;
  connections_ += verdict.tally.connections;
}

std::string MonitorReport::line() const {
  const std::string seen = fmt::format("{} events, {} connections", events_, connections_);
  if (!broken_.empty()) return fmt::format("monitor: violated: {}: {}", seen, fmt::join(broken_, ", "));
  if (remarks_.empty()) return fmt::format("monitor: holds: {}", seen);
  const std::string more = remarks_.size() == 1 ? "" : fmt::format(" (and {} more)", remarks_.size() - 1);
  return fmt::format("monitor: incomplete: {}: {}{}", seen, remarks_.front(), more);
}

ExitCode MonitorReport::code() const {
  if (!broken_.empty()) return ExitCode::violated;
  return remarks_.empty() ? ExitCode::holds : ExitCode::incomplete;
}

}  // namespace antiphon
