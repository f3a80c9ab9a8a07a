#include "verify/explorer.hpp"

#include <algorithm>
#include <cmath>

#include "verify/crew.hpp"
#include "verify/echo_contract.hpp"
#include "verify/search.hpp"
#include "verify/walks.hpp"

namespace antiphon::verify {

namespace {

template <class Way>
Exploration searched(const Server& server, const Scope& scope, const ExploreOptions& options) {
  Way search(server, scope, options);
  Exploration result = search.run();
  if (search.mistake().empty()) return result;
  ExploreOptions plain = options;
  plain.reductions.partial_order = false;
  result = Way(server, scope, plain).run();
  result.notes.push_back("without partial-order reduction: " + search.mistake());
  return result;
}

/// The states of the scope with so many of its clients; none if there are too many to count on the way.
std::optional<double> states_of(const Server& server, Scope scope, const ExploreOptions& options, std::size_t clients) {
  constexpr std::uint64_t little_memory = std::uint64_t{32} << 20U;
  scope.scenario.clients.resize(clients);
  ExploreOptions small = options;
  small.most_memory = std::min(options.most_memory, little_memory);
  small.threads = 1;
  small.progress = [](const std::string&) {};
  const Exploration result = explore(server, scope, small);
  return result.closed ? std::optional(static_cast<double>(result.states)) : std::nullopt;
}

}  // namespace

std::unique_ptr<StateSpace> space_of(const Server& server, const Scope& scope, const ExploreOptions& options) {
  if (options.space) return options.space(server, scope);
  return with_contract(echo_server(options.expectations))(server, scope);
}

std::optional<Estimate> estimate(const Server& server, const Scope& scope, const ExploreOptions& options) {
  const std::size_t clients = scope.scenario.clients.size();
  if (in_walks(options.order) || clients < 3) return std::nullopt;
  const auto one = states_of(server, scope, options, 1);
  const auto two = states_of(server, scope, options, 2);
  if (!one || !two) return std::nullopt;
  const auto more = static_cast<double>(clients - 2);
  return Estimate{*two + more * (*two - *one), *two * std::pow(*two / *one, more)};
}

Exploration explore(const Server& server, const Scope& scope, const ExploreOptions& options) {
  switch (options.order) {
    case Order::depth_first:
      return options.threads > 1 && options.fresh ? explore_in_threads(scope, options)
                                                  : searched<DepthFirst>(server, scope, options);
    case Order::breadth_first:
      return searched<BreadthFirst>(server, scope, options);
    default:
      return walks(server, scope, options);
  }
}

}  // namespace antiphon::verify
