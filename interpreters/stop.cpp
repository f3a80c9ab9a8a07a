#include "interpreters/stop.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <csignal>

namespace antiphon {

Stop::Stop() : event_(kernel::new_event()), event_at_once_(kernel::new_event()) {}

bool Stop::request() {
  kernel::Nanoseconds before = kernel::never;
  const bool first = requested_at_.compare_exchange_strong(before, kernel::now(), std::memory_order_acq_rel);
  eventfd_write(event_.number(), 1);
  return first;
}

void Stop::request_at_once() {
  request();
  at_once_.store(true, std::memory_order_release);
  eventfd_write(event_at_once_.number(), 1);
}

namespace {

std::atomic<Stop*> stop_of_signals = nullptr;

void request_stop(int) {
  const int kept = errno;
  Stop* const stop = stop_of_signals;
  if (stop != nullptr && !stop->request()) stop->request_at_once();
  errno = kept;
}

}  // namespace

struct StopBySignal::Before {
  struct sigaction on_term{};
  struct sigaction on_int{};
};

StopBySignal::StopBySignal(Stop& stop) : before_(std::make_unique<Before>()) {
  stop_of_signals = &stop;
  struct sigaction request{};
  request.sa_handler = &request_stop;
  request.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &request, &before_->on_term);
  sigaction(SIGINT, &request, &before_->on_int);
}

StopBySignal::~StopBySignal() {
  sigaction(SIGTERM, &before_->on_term, nullptr);
  sigaction(SIGINT, &before_->on_int, nullptr);
  stop_of_signals = nullptr;
}

}  // namespace antiphon
