#include "apps/notices.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "apps/environment.hpp"

namespace antiphon {

namespace {

/// A datagram socket to the one of that name; '@' begins a name in the abstract namespace. Not valid: errno says why.
kernel::Descriptor connected_to(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof(address.sun_path) || (name.front() != '/' && name.front() != '@')) {
    errno = EINVAL;
    return kernel::Descriptor(-1);
  }
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name.front() == '@') address.sun_path[0] = 0;
  kernel::Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  if (socket.valid() && connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), size) < 0) {
    return kernel::Descriptor(-1);
  }
  return socket;
}

}  // namespace

Notices::Notices() {
  const std::string name = taken_from_environment("NOTIFY_SOCKET");
  const std::string watchdog_us = taken_from_environment("WATCHDOG_USEC");
  const std::string watched_pid = taken_from_environment("WATCHDOG_PID");
  if (name.empty()) return;
  socket_ = connected_to(name);
  if (!socket_.valid()) why_deaf_ = fmt::format("cannot tell '{}' anything: {}", name, std::strerror(errno));
  const auto time_us = number_in(watchdog_us);
  const bool is_endless = watchdog_us == "18446744073709551615";  // USEC_INFINITY
  if (!watchdog_us.empty() && !time_us && !is_endless) {
    nonsense_ = fmt::format("WATCHDOG_USEC: '{}' is no time", watchdog_us);
  }
  if (!watched_pid.empty() && !number_in(watched_pid)) {
    nonsense_ = fmt::format("WATCHDOG_PID: '{}' is no process", watched_pid);
  }
  const bool is_watched = watched_pid.empty() || number_in(watched_pid) == getpid();
  if (is_watched) watchdog_ = time_us.value_or(0) * kernel::microsecond;
}

void Notices::tell(const std::string& text) const {
  if (!socket_.valid()) return;
  // Nothing is left to be done about a notice that does not go out.
  [[maybe_unused]] const ssize_t sent = send(socket_.number(), text.data(), text.size(), MSG_NOSIGNAL);
}

}  // namespace antiphon
