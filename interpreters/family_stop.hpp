#pragma once

#include <cstdint>
#include <utility>

#include "core/instructions.hpp"
#include "interpreters/kernel.hpp"
#include "interpreters/shared_word.hpp"

namespace antiphon {

/// What each process of a forking server knows of the stop: it was asked itself, or the first process was, which asks
/// all. Who is asked again stops at once. Each process has its own copy, and forks pass it on.
class FamilyStop {
 public:
  /// Throws std::system_error or std::bad_alloc when the kernel has no room.
  FamilyStop();

  /// This process was asked; if it is the first, then all of them were.
  void ask(bool first);
  /// What becomes readable once the first process has more to tell than is known here; -1: it never will.
  [[nodiscard]] int descriptor() const;
  /// The descriptor is readable.
  void take_news();

  [[nodiscard]] bool is_at_once() const { return at_once_; }
  /// When this process was asked to stop at once; `kernel::never`: it was not asked itself.
  [[nodiscard]] kernel::Nanoseconds at_once_at() const { return at_once_at_; }
  /// When the stop cuts an instruction short; `kernel::never`: it is not known of.
  [[nodiscard]] kernel::Nanoseconds cut_of(const Deadline& until) const;
  [[nodiscard]] bool cuts_now(const Deadline& until) const;

  /// An instruction of this process, which is not the first, is cut short.
  void note_cut();
  /// How many processes that happened to.
  [[nodiscard]] std::int64_t cut() const { return static_cast<std::int64_t>(family_cut_->load()); }

 private:
  kernel::Descriptor event_;  ///< Readable in all processes, for good, when the first one is asked.
  kernel::Descriptor event_at_once_;
  SharedWord family_stopped_at_;
  SharedWord family_at_once_;  ///< Not 0 once the first process was asked to stop at once.
  SharedWord family_cut_;
  kernel::Nanoseconds stopped_at_ = kernel::never;
  kernel::Nanoseconds at_once_at_ = kernel::never;
  bool at_once_ = false;
  bool family_is_known_ = false;  ///< That the first process was asked.
  bool was_asked_ = false;        ///< By a signal of its own.
  bool was_cut_ = false;
};

}  // namespace antiphon
