#include "interpreters/shared_lock.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace antiphon {
namespace {

using enum SharedLock::Taken;

/// What a child that takes it is answered.
SharedLock::Taken taken_by_a_child(SharedLock& lock, bool gives_back) {
  const pid_t child = fork();
  if (child == 0) {
    const auto taken = lock.take(0);
    if (gives_back && taken != no) lock.give_back();
    std::_Exit(static_cast<int>(taken));
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return static_cast<SharedLock::Taken>(WEXITSTATUS(status));
}

TEST(SharedLock, OneProcessHasItAtATime) {
  SharedLock lock;
  EXPECT_EQ(lock.take(0), yes);
  EXPECT_EQ(taken_by_a_child(lock, true), no);
  lock.give_back();
  EXPECT_EQ(taken_by_a_child(lock, true), yes);
  EXPECT_EQ(lock.take(0), yes);
}

TEST(SharedLock, TellsThatItsHolderDied) {
  SharedLock lock;
  EXPECT_EQ(taken_by_a_child(lock, false), yes);
  EXPECT_EQ(taken_by_a_child(lock, false), from_the_dead);
  EXPECT_EQ(lock.take(1000), from_the_dead);
  lock.give_back();
  EXPECT_EQ(lock.take(1000), yes);
}

}  // namespace
}  // namespace antiphon
