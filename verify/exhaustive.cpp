#include "verify/exhaustive.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "verify/explorer.hpp"
#include "verify/generate.hpp"

namespace antiphon::verify {

namespace {

/// Bytes for the states of one exploration: ten times what the servers of the catalogue need.
constexpr std::uint64_t most_memory = std::uint64_t{32} << 20U;

Scope scope(std::uint32_t clients, std::uint32_t messages, std::uint32_t size, std::string_view faults) {
  ScopeRequest request;
  request.clients = clients;
  request.messages = messages;
  request.size = size;
  request.faults = *faults_named(faults);
  return *scope_of(request);
}

/// Whatever a server needs to start can fail.
Scope failing_start() {
  Scope made = scope(1, 1, 1, "none");
  for (const auto& [instruction, error] : start_failures) {
    made.adversity.faults.push_back({fault_place(instruction), error});
  }
  return made;
}

/// A client that does not read in time. (In the simulated world there is always room for the answer to one message.)
Scope late_reader() {
  Scope made = scope(1, 1, 2, "close");
  made.adversity.faults.push_back({fault_place(Send::name), Errno::EXPIRED});
  return made;
}

class Explorations {
 public:
  explicit Explorations(const Expectations& expectations) : scopes_(scopes_for_mutants()) {
    options_.expectations = expectations;
    options_.most_memory = most_memory;
  }

  Opinion judge(const Server& original, const Server& mutant) {
    auto& known = known_.of(original, [](const Server&) { return std::vector<std::optional<Clauses>>(); });
    for (std::size_t at = 0; at < scopes_.size(); ++at) {
      if (known.size() == at) known.push_back(broken_by_original(original, scopes_[at]));
      if (!known[at]) continue;
      const std::string clause = broken_by(mutant, scopes_[at], *known[at]);
      if (!clause.empty()) return {Fate::killed, clause, at + 1};
    }
    return {Fate::survived, {}, scopes_.size()};
  }

 private:
  using Clauses = std::set<std::string_view>;

  /// None: it was not explored to its end, so it may break more.
  [[nodiscard]] std::optional<Clauses> broken_by_original(const Server& original, const Scope& scope) const {
    const Exploration explored = explore(original, scope, options_);
    if (!explored.closed || !explored.remarks.empty()) return std::nullopt;
    Clauses broken;
    for (const Discovery& one : explored.discoveries) broken.insert(one.breach.clause.name);
    return broken;
  }

  /// A clause that it breaks and the original keeps, or nothing.
  [[nodiscard]] std::string broken_by(const Server& mutant, const Scope& scope, const Clauses& by_original) const {
    ExploreOptions options = options_;
    options.most_findings = by_original.size() + 1;  // then one of them is new
    for (const Discovery& one : explore(mutant, scope, options).discoveries) {
      if (!by_original.contains(one.breach.clause.name)) return std::string(one.breach.clause.name);
    }
    return {};
  }

  std::vector<Scope> scopes_;
  ExploreOptions options_;
  OfOriginal<std::vector<std::optional<Clauses>>> known_;
};

}  // namespace

std::vector<Scope> scopes_for_mutants() {
  return {failing_start(),
          late_reader(),
          scope(1, 1, 1, "interrupts,accept,fork,close"),
          scope(1, 1, 2, "memory,interrupts"),
          scope(1, 2, 2, "reset,stop,idle"),
          scope(2, 1, 1, "limits,close")};
}

Strategy exhaustive(const MutationOptions& options) {
  const auto known = std::make_shared<Explorations>(options.expectations);
  return {"exhaustive",
          [known](const Server& original, const Mutant& mutant) { return known->judge(original, mutant.server); }};
}

}  // namespace antiphon::verify
