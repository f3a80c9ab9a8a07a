#include "apps/heartbeat.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cstdint>

namespace antiphon {

Heartbeat::Heartbeat(kernel::Nanoseconds interval)
    : timer_(kernel::needed(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create")) {
  const timespec each{interval / kernel::second, interval % kernel::second};
  const itimerspec when{.it_interval = each, .it_value = each};
  timerfd_settime(timer_.number(), 0, &when, nullptr);
}

Errand Heartbeat::errand() {
  return {timer_.number(), [this] { tick(); }};
}

void Heartbeat::tick() {
  std::uint64_t ticks = 0;
  if (read(timer_.number(), &ticks, sizeof(ticks)) > 0) last_.store(kernel::now(), std::memory_order_relaxed);
}

}  // namespace antiphon
