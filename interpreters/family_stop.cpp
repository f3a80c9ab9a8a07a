#include "interpreters/family_stop.hpp"

#include <sys/eventfd.h>

#include <algorithm>

namespace antiphon {

using kernel::Nanoseconds;
using kernel::never;

FamilyStop::FamilyStop() : event_(kernel::new_event()), event_at_once_(kernel::new_event()) {}

void FamilyStop::ask(bool first) {
  const bool again = std::exchange(was_asked_, true);
  if (stopped_at_ == never) stopped_at_ = kernel::now();
  if (again && !at_once_) {
    at_once_ = true;
    at_once_at_ = kernel::now();
  }
  if (!first) return;
  if (!std::exchange(family_is_known_, true)) {
    family_stopped_at_->store(static_cast<std::uint64_t>(stopped_at_));
    eventfd_write(event_.number(), 1);
  }
  if (again && family_at_once_->exchange(1) == 0) eventfd_write(event_at_once_.number(), 1);
}

int FamilyStop::descriptor() const {
  if (!family_is_known_) return event_.number();
  return at_once_ ? -1 : event_at_once_.number();
}

void FamilyStop::take_news() {
  const auto stopped = static_cast<Nanoseconds>(family_stopped_at_->load());
  if (stopped == 0) return;
  stopped_at_ = std::min(stopped_at_, stopped);
  family_is_known_ = true;
  if (family_at_once_->load() != 0) at_once_ = true;
}

Nanoseconds FamilyStop::cut_of(const Deadline& until) const {
  return stopped_at_ == never || at_once_ ? stopped_at_ : kernel::after(stopped_at_, until.drain_ms);
}

bool FamilyStop::cuts_now(const Deadline& until) const {
  return stopped_at_ != never && cut_of(until) <= kernel::now();
}

void FamilyStop::note_cut() {
  if (!std::exchange(was_cut_, true)) family_cut_->fetch_add(1);
}

}  // namespace antiphon
