#include "verify/search.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace antiphon::verify {

Search::Search(const Server& server, const Scope& scope, const ExploreOptions& options)
    : options_(options),
      owned_space_(space_of(server, scope, options)),
      space_(*owned_space_),
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
  full_ |= seen_.bytes_next() + held_bytes() + space_.bytes() > options_.most_memory;
  if (seen_.size() % tell_every != 0) return;
  options_.progress(std::to_string(seen_.size()) + " states, " + std::to_string(result_.transitions) +
                    " transitions, " + progress() + pace());
}

/// For whoever watches: how fast it is, and for how long it will be if it meets no state again.
std::string Search::pace() const {
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun_;
  const double seconds = std::max(spent.count(), 1e-9);
  std::string text = fmt::format(", {:.1f} million states/s", static_cast<double>(seen_.size()) / seconds / 1e6);
  const double share = share_done();
  if (share <= 0.001) return text;
  return text + fmt::format(", at most about {:.0f} s to go", seconds * (1 - share) / share);
}

void Search::finish() {
  result_.states = seen_.size();
  result_.steps_run = space_.steps_run();
  result_.bytes = seen_.bytes() + held_bytes() + space_.bytes();
  result_.endless = endless();
  add_remarks_on(space_, result_.remarks);
  conclude(result_, discoveries_, full_, space_.overflowed());
}

}  // namespace antiphon::verify
