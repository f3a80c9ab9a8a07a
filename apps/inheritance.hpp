#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>

#include "interpreters/adopted_listeners.hpp"
#include "interpreters/kernel.hpp"

/// Listening sockets that a server gets from who was there before it.

namespace antiphon {

/// Takes the sockets that a service manager passes, by the protocol of sd_listen_fds(3): descriptors from 3 on, counted
/// by $LISTEN_FDS, for the process $LISTEN_PID, with their names in $LISTEN_FDNAMES. Answers how many there were.
/// Error: one line that names what cannot be taken.
std::expected<std::size_t, std::string> take_passed(AdoptedListeners& adopted);

/// A server that is to be followed: another process of this machine.
class Predecessor {
 public:
  /// Error: one line. It needs the right to trace the process (pidfd_getfd(2)).
  static std::expected<Predecessor, std::string> named(int pid);

  /// Takes part in all its listeners: from here on both have them.
  std::optional<std::string> share_listeners(AdoptedListeners& adopted) const;
  /// Starts the process that will ask it to stop, as the user that this one is now: by the time when nothing can go
  /// wrong any more the server itself may signal nobody. If the server ends before, it asks nothing. As `start_helper`.
  void prepare_stop();
  /// Asks it to stop (SIGTERM); the process that did has ended then. Error: one line.
  [[nodiscard]] std::optional<std::string> stop();

 private:
  Predecessor(int pid, kernel::Descriptor process) : pid_(pid), process_(std::move(process)) {}

  int pid_;
  kernel::Descriptor process_;
  int asker_ = 0;
  kernel::Descriptor to_asker_{-1};
};

}  // namespace antiphon
