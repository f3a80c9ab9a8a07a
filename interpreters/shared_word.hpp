#pragma once

#include <atomic>
#include <cstdint>

namespace antiphon {

/// A number in memory that a process shares with all that it forks. It starts at 0.
class SharedWord {
 public:
  /// Throws std::bad_alloc.
  SharedWord();
  ~SharedWord();
  SharedWord(const SharedWord&) = delete;
  SharedWord& operator=(const SharedWord&) = delete;

  std::atomic<std::uint64_t>& operator*() const { return *word_; }
  std::atomic<std::uint64_t>* operator->() const { return word_; }

 private:
  std::atomic<std::uint64_t>* word_;
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "only a lock-free atomic works between processes");

}  // namespace antiphon
