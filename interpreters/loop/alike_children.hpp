#pragma once

#include <cstdint>
#include <map>

#include "core/trace.hpp"
#include "interpreters/origin.hpp"

/// The children of an event loop's processes that count by their clients' addresses.

namespace antiphon::loop {

class AlikeChildren {
 public:
  /// The first processes of several loops count as one: `of_first` is what they share, and outlives this.
  explicit AlikeChildren(OriginCounts& of_first) : of_first_(&of_first) {}

  /// Counts the child that is to be made; the errors are those of OriginCounts.
  Result<Unit> admit(ProcessId parent, ProcessId child, const Origin& origin, std::int64_t at_most);

  /// The child has ended. It counts on while its parent is there and does not discard it.
  void ended(ProcessId child, bool stays_unreaped);
  /// The process discards those that have ended.
  void discard(ProcessId parent);

 private:
  struct Counted {
    ProcessId parent;
    Origin origin;
  };
  OriginCounts& counts_of(ProcessId parent) { return parent == 0 ? *of_first_ : of_others_[parent]; }

  OriginCounts* of_first_;
  std::map<ProcessId, OriginCounts> of_others_;  ///< Of those that are there.
  // A child that ends moves from the one to the other, which takes no memory.
  std::multimap<ProcessId, Counted> living_;    ///< By child.
  std::multimap<ProcessId, Counted> unreaped_;  ///< By parent.
};

}  // namespace antiphon::loop
