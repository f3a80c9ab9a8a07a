#include "interpreters/stop.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <csignal>

namespace antiphon {

Stop::Stop() : event_(kernel::needed(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}

void Stop::request() {
  kernel::Nanoseconds before = kernel::never;
  requested_at_.compare_exchange_strong(before, kernel::now(), std::memory_order_acq_rel);
  eventfd_write(event_.number(), 1);
}

namespace {

std::atomic<Stop*> stop_of_signals = nullptr;

void request_stop(int) {
  const int kept = errno;
  if (Stop* const stop = stop_of_signals) stop->request();
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
