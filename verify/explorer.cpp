#include "verify/explorer.hpp"

#include "verify/crew.hpp"
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

}  // namespace

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
