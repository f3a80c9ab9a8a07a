#include "interpreters/shared_lock.hpp"

#include <pthread.h>
#include <sys/mman.h>

#include <cerrno>
#include <ctime>
#include <new>

namespace antiphon {

struct SharedLock::Mutex {
  pthread_mutex_t native;
};

SharedLock::SharedLock() {
  void* const page = mmap(nullptr, sizeof(Mutex), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw std::bad_alloc();
  mutex_ = new (page) Mutex;
  pthread_mutexattr_t how;
  pthread_mutexattr_init(&how);
  pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&mutex_->native, &how);
  pthread_mutexattr_destroy(&how);
}

// The mutex itself is not destroyed: another process may still use it.
SharedLock::~SharedLock() { munmap(mutex_, sizeof(Mutex)); }

SharedLock::Taken SharedLock::take(std::int64_t at_most_ms) {
  int failure = pthread_mutex_trylock(&mutex_->native);
  if (failure == EBUSY && at_most_ms > 0) {
    timespec end{};
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += at_most_ms / 1000;
    end.tv_nsec += at_most_ms % 1000 * 1'000'000;
    end.tv_sec += end.tv_nsec / 1'000'000'000;
    end.tv_nsec %= 1'000'000'000;
    // (Not pthread_mutex_clocklock: ThreadSanitizer does not know it.)
    failure = pthread_mutex_timedlock(&mutex_->native, &end);
  }
  if (failure == 0) return Taken::yes;
  if (failure != EOWNERDEAD) return Taken::no;
  pthread_mutex_consistent(&mutex_->native);
  return Taken::from_the_dead;
}

void SharedLock::give_back() { pthread_mutex_unlock(&mutex_->native); }

}  // namespace antiphon
