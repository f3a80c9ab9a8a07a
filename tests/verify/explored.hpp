#pragma once

#include <cstdint>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "core/programs/seed.hpp"
#include "verify/contracts/delivered.hpp"
#include "verify/explorer.hpp"
#include "verify/generate.hpp"
#include "verify/planted.hpp"
#include "verify/scope.hpp"
#include "verify/state_space.hpp"

/// Explorations of small scopes.

namespace antiphon::verify {

/// What the servers of the catalogue are held to.
inline Expectations expectations_of_catalogue(Answers answers = Answers::everything) {
  const ProgramOptions options;
  return {.answers = answers,
          .idle_ms = options.session.until.wait_ms,
          .drain_ms = options.session.until.drain_ms,
          .max_connections = options.server.max_connections,
          .at_most = static_cast<std::int64_t>(options.session.at_most)};
}

/// A small scope, in few words.
struct Asked {
  std::uint32_t clients = 2;
  std::uint32_t messages = 1;
  std::uint32_t size = 1;
  bool any = false;
  std::string faults = "none";
  bool catalogue_only = false;  ///< Without the planted violations.

  friend std::ostream& operator<<(std::ostream& out, const Asked& asked) { return out << asked.faults; }
};

inline Scope scope(const Asked& asked) {
  ScopeRequest request;
  request.clients = asked.clients;
  request.messages = asked.messages;
  request.any_messages = asked.any;
  request.size = asked.size;
  request.faults = *faults_named(asked.faults);
  return *scope_of(request);
}

inline Exploration explored(const Server& server, const Scope& scope, Reductions reductions = {},
                            Order order = Order::depth_first,
                            const Expectations& expected = expectations_of_catalogue()) {
  ExploreOptions options;
  options.reductions = reductions;
  options.order = order;
  options.expectations = expected;
  return explore(server, scope, options);
}

inline std::set<std::string_view> clauses(const Exploration& exploration) {
  std::set<std::string_view> names;
  for (const Discovery& one : exploration.discoveries) names.insert(one.breach.clause.name);
  return names;
}

/// Those that a search in that order can find too.
inline std::set<std::string_view> clauses_of(const Exploration& plain, Order order) {
  std::set<std::string_view> names = clauses(plain);
  if (order == Order::breadth_first) names.erase(Served::clause.name);
  return names;
}

inline constexpr Reductions nothing{.partial_order = false, .symmetry = false};
inline constexpr Reductions partial_order{.partial_order = true, .symmetry = false};
inline constexpr Reductions symmetry{.partial_order = false, .symmetry = true};
inline constexpr Reductions everything{.partial_order = true, .symmetry = true};

struct Specimen {
  std::string name;
  Server server;
  Expectations expected = expectations_of_catalogue();
};

/// The servers of the catalogue, and with them every planted violation.
inline std::vector<Specimen> specimens(bool catalogue_only) {
  std::vector<Specimen> all{{"stream", *program_named("stream")},
                            {"once", *program_named("once"), expectations_of_catalogue(Answers::first_message)},
                            {"seed", seed::echo_server()}};
  if (catalogue_only) return all;
  for (const Planted& planted : planted_violations(ProgramOptions{})) {
    all.push_back({std::string(planted.clause), planted.server, planted.held_to(expectations_of_catalogue())});
  }
  return all;
}

}  // namespace antiphon::verify
