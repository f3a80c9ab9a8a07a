#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "verify/explorer.hpp"
#include "verify/state_space.hpp"

/// What the strategies of exploration share: what they have found, and why that may not be all.

namespace antiphon::verify {

/// What the options ask for.
std::unique_ptr<StateSpace> space_of(const Server& server, const Scope& scope, const ExploreOptions& options);

inline Taken taken_of(const Outcome& outcome) { return {outcome.move, outcome.shortfalls}; }

/// Appends the steps to a way.
inline void append(std::vector<Taken>& way, std::span<const Outcome* const> steps) {
  way.reserve(way.size() + steps.size());
  for (const Outcome* const step : steps) way.push_back(taken_of(*step));
}

/// The first violation of each clause, and the way to it.
class Discoveries {
 public:
  explicit Discoveries(std::size_t most) : most_(most) {}

  [[nodiscard]] bool full() const { return clauses_.size() >= most_; }

  /// Whether one of them is of a clause that was not broken before.
  [[nodiscard]] bool has_new(const std::vector<Breach>& breaches) const {
    return std::ranges::any_of(breaches, [&](const Breach& breach) { return !clauses_.contains(breach.clause.name); });
  }
  /// With a lap: broken if it comes after the path again and again.
  void add(const std::vector<Breach>& breaches, bool at_rest, const std::vector<Taken>& path,
           const std::vector<Taken>& lap = {}) {
    for (const Breach& breach : breaches) {
      if (!full() && clauses_.insert(breach.clause.name).second) found_.push_back({breach, at_rest, path, lap});
    }
  }
  std::vector<Discovery> take() { return std::move(found_); }

 private:
  std::size_t most_;
  std::set<std::string_view> clauses_;
  std::vector<Discovery> found_;
};

/// Adds a remark that is not there yet.
inline void add_remark(std::vector<std::string>& remarks, std::string remark) {
  if (std::ranges::find(remarks, remark) == remarks.end()) remarks.push_back(std::move(remark));
}

/// Why what was seen of the space says nothing about the rest.
inline void add_remarks_on(const StateSpace& space, std::vector<std::string>& remarks) {
  if (space.overflowed()) {
    add_remark(remarks,
               "a state has more than " + std::to_string(State::most_parts) + " parts: the scope is too large");
  }
  if (space.looks() > 0) {
    add_remark(remarks, "the program looks at the content of messages: with another content it may do another thing");
  }
  if (space.held_back()) {
    add_remark(remarks, "a client had so much unanswered that its bytes could not be told apart: it sent no more");
  }
}

/// What a search comes to, once its counts and remarks are there. `was_cut`: by the size of the scope.
inline void conclude(Exploration& result, Discoveries& discoveries, bool memory_was_full, bool was_cut) {
  result.closed = result.frontier == 0 && !memory_was_full && !was_cut;
  const auto count = static_cast<double>(result.states);
  result.missed = std::ldexp(count * count, -129);
  if (memory_was_full) {
    result.remarks.insert(result.remarks.begin(),
                          "the memory was full; " + std::to_string(result.frontier) + " states wait");
  }
  if (result.states < 2) result.remarks.emplace_back("nothing happened");
  if (!result.closed || !result.remarks.empty()) result.endless = EndlessRuns::not_judged;
  if (result.closed && result.rests == 0 && result.endless == EndlessRuns::not_judged) {
    result.remarks.emplace_back("no run comes to rest, and runs that go on for ever were not judged");
  }
  result.discoveries = discoveries.take();
  if (!result.discoveries.empty()) {
    result.ruling = Ruling::violated;
  } else if (result.closed && result.remarks.empty()) {
    result.ruling = Ruling::holds;
  }
}

}  // namespace antiphon::verify
