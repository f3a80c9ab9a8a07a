#include "verify/search.hpp"

#include "verify/echo_contract.hpp"

namespace antiphon::verify {

Search::Search(const Server& server, const Scope& scope, const ExploreOptions& options)
    : options_(options),
      space_(server, scope.scenario, scope.adversity, echo_server(options.expectations)),
      position_(space_),
      independence_(space_, scope, options.reductions),
      discoveries_(options.most_findings) {}

Exploration Search::run() {
  discoveries_.add(space_.breaches_at_first(), false, {});
  if (!done()) search();
  finish();
  return std::move(result_);
}

/// Now and then: whether there is memory for more, and how far it is.
void Search::look_up() {
  full_ |= seen_.bytes_next() + held_bytes() > options_.most_memory;
  if (seen_.size() % tell_every != 0) return;
  options_.progress(std::to_string(seen_.size()) + " states, " + std::to_string(result_.transitions) +
                    " transitions, " + progress());
}

void Search::finish() {
  result_.states = seen_.size();
  result_.steps_run = space_.steps_run();
  result_.bytes = seen_.bytes() + held_bytes();
  result_.endless = endless();
  add_remarks_on(space_, result_.remarks);
  conclude(result_, discoveries_, full_);
}

}  // namespace antiphon::verify
