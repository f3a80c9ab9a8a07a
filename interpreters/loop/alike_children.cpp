#include "interpreters/loop/alike_children.hpp"

#include <new>

namespace antiphon::loop {

Result<Unit> AlikeChildren::admit(ProcessId parent, ProcessId child, const Origin& origin, std::int64_t at_most) {
  try {
    living_[child] = {parent, origin};
    const auto admitted = counts_of(parent).admit(origin, at_most);
    if (!admitted) living_.erase(child);
    return admitted;
  } catch (const std::bad_alloc&) {
    living_.erase(child);
    return failed(Errno::NOMEM);
  }
}

void AlikeChildren::ended(ProcessId child, bool stays_unreaped) {
  const auto found = living_.find(child);
  if (found != living_.end()) {
    const auto [parent, origin] = found->second;
    living_.erase(found);
    if (stays_unreaped) {
      unreaped_[parent].push_back(origin);
    } else if (parent == 0 || of_others_.contains(parent)) {
      counts_of(parent).discount(origin);
    }
  }
  of_others_.erase(child);
  unreaped_.erase(child);
}

void AlikeChildren::discard(ProcessId parent) {
  const auto found = unreaped_.find(parent);
  if (found == unreaped_.end()) return;
  for (const Origin& origin : found->second) counts_of(parent).discount(origin);
  unreaped_.erase(found);
}

}  // namespace antiphon::loop
