#include "interpreters/stop.hpp"

#include <pthread.h>
#include <sys/eventfd.h>

#include <csignal>

namespace antiphon {

Stop::Stop() : event_(kernel::needed(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}

void Stop::request() {
  kernel::Nanoseconds before = kernel::never;
  requested_at_.compare_exchange_strong(before, kernel::now(), std::memory_order_acq_rel);
  eventfd_write(event_.number(), 1);
}

namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

StopBySignal::StopBySignal(Stop& stop) {
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  waiter_ = std::thread([this, &stop, signals] {
    int signal = 0;
    while (sigwait(&signals, &signal) == 0 && !over_) stop.request();
  });
}

StopBySignal::~StopBySignal() {
  over_ = true;
  pthread_kill(waiter_.native_handle(), SIGTERM);
  waiter_.join();
  const sigset_t signals = stop_signals();
  // One that came in meanwhile has nobody left to stop.
  const timespec at_once{};
  while (sigtimedwait(&signals, nullptr, &at_once) > 0) {
  }
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace antiphon
