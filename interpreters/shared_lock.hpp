#pragma once

#include <cstdint>

namespace antiphon {

/// A lock in memory that a process shares with all that it forks, for all their threads. Who dies while it holds the
/// lock gives it back, and the next holder is told.
class SharedLock {
 public:
  enum class Taken : std::uint8_t {
    yes,
    from_the_dead,  ///< The last holder died: what the lock guards may be half done.
    no              ///< Not within the time.
  };

  /// Throws std::bad_alloc.
  SharedLock();
  ~SharedLock();
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;

  /// Waits for it, `at_most_ms` at most; with 0 it makes no system call.
  [[nodiscard]] Taken take(std::int64_t at_most_ms);
  /// Only who took it gives it back.
  void give_back();

 private:
  struct Mutex;
  Mutex* mutex_;
};

}  // namespace antiphon
