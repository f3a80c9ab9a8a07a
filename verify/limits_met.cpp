#include "verify/limits_met.hpp"

#include <algorithm>

#include "verify/contract.hpp"
#include "verify/state_space.hpp"

namespace antiphon::verify {

namespace {

constexpr std::uint64_t little_memory = std::uint64_t{64} << 20U;

/// "Broken" where an alarm ends a Send.
struct NoAlarmEndsSend {
  using Witness = Nothing;
  static constexpr Clause clause{"alarm", "an alarm ends a Send"};

  void callee(const Witness&, const Seen& seen, Report& report) const {
    const auto* const send = seen.issued<Send>();
    if (send != nullptr && is_ended_by_alarm(*send, seen.actor().alarm_ms)) {
      report.breach(clause, Party::interpreter, "ends by its alarm");
    }
  }
};

/// "Broken" where a Fork that counts by address fails.
struct NobodyIsRefused {
  using Witness = Nothing;
  static constexpr Clause clause{"address", "a client is refused for its address"};

  void callee(const Witness&, const Seen& seen, Report& report) const {
    const auto* const fork = seen.issued<Fork>();
    const bool fails = fork != nullptr && fork->response && !*fork->response;
    if (fails && fork->instruction.at_most_alike != unlimited) {
      report.breach(clause, Party::interpreter, "is not allowed");
    }
  }
};

/// The scope without what else lets a Fork fail.
Scope where_only_limits_refuse(Scope scope) {
  const std::uint32_t fork = fault_place(Fork::name);
  std::erase_if(scope.adversity.faults, [&](const PossibleFault& one) { return one.instruction == fork; });
  scope.scenario.max_processes = Scenario(0).max_processes;
  return scope;
}

template <class C>
LimitMet met(C contract, const Server& server, const Scope& scope, ExploreOptions options) {
  options.space = with_contract(contract);
  options.most_findings = 1;
  options.threads = 1;
  options.most_memory = std::min(options.most_memory, little_memory);
  const Exploration found = explore(server, scope, options);
  if (!found.discoveries.empty()) return {C::clause.text, Meeting::met};
  return {C::clause.text, found.closed && found.remarks.empty() ? Meeting::never : Meeting::not_seen};
}

}  // namespace

std::vector<LimitMet> limits_met(const Server& server, const Scope& scope, const ExploreOptions& options) {
  const Expectations& expected = options.expectations;
  std::vector<LimitMet> limits;
  if (expected.progress_ms != forever_ms) limits.push_back(met(NoAlarmEndsSend{}, server, scope, options));
  if (expected.max_per_address != unlimited && expected.max_connections == unlimited) {
    limits.push_back(met(NobodyIsRefused{}, server, where_only_limits_refuse(scope), options));
  }
  return limits;
}

std::string_view name_of(Meeting meeting) {
  constexpr std::string_view names[] = {"met", "never", "not seen"};
  return names[static_cast<std::size_t>(meeting)];
}

}  // namespace antiphon::verify
