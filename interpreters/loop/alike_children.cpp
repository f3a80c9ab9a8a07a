#include "interpreters/loop/alike_children.hpp"

#include <new>
#include <utility>

namespace antiphon::loop {

Result<Unit> AlikeChildren::admit(ProcessId parent, ProcessId child, const Origin& origin, std::int64_t at_most) {
  auto counted = living_.end();
  try {
    counted = living_.emplace(child, Counted{parent, origin});
    const auto admitted = counts_of(parent).admit(origin, at_most);
    if (!admitted) living_.erase(counted);
    return admitted;
  } catch (const std::bad_alloc&) {
    if (counted != living_.end()) living_.erase(counted);
    return failed(Errno::NOMEM);
  }
}

void AlikeChildren::ended(ProcessId child, bool stays_unreaped) {
  const auto found = living_.find(child);
  if (found != living_.end()) {
    auto node = living_.extract(found);
    const auto [parent, origin] = node.mapped();
    if (stays_unreaped) {
      node.key() = parent;
      unreaped_.insert(std::move(node));
    } else if (parent == 0 || of_others_.contains(parent)) {
      counts_of(parent).discount(origin);
    }
  }
  of_others_.erase(child);
  unreaped_.erase(child);
}

void AlikeChildren::discard(ProcessId parent) {
  const auto [from, to] = unreaped_.equal_range(parent);
  for (auto one = from; one != to; ++one) counts_of(parent).discount(one->second.origin);
  unreaped_.erase(from, to);
}

}  // namespace antiphon::loop
