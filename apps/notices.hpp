#pragma once

#include <cstdint>
#include <string>

#include "interpreters/kernel.hpp"

namespace antiphon {

/// What a service manager is told, by the protocol of sd_notify(3): datagrams to the socket that $NOTIFY_SOCKET names.
/// It is connected once, at the start, since later there may be no right to connect; so libsystemd, which connects with
/// each notice, is not what is used. The variables leave the environment.
class Notices {
 public:
  /// Reads the environment. Nobody may be there to be told.
  Notices();

  /// Tells, if somebody is there to be told: lines `NAME=VALUE`. Who does not read is not waited for.
  void tell(const std::string& text) const;
  [[nodiscard]] bool has_listener() const { return socket_.valid(); }
  /// In a process that was forked: it has nothing to tell.
  void end() { socket_ = kernel::Descriptor(-1); }

  /// The server is to give a sign of life within that time again and again (WATCHDOG_USEC); 0: it is not.
  [[nodiscard]] kernel::Nanoseconds watchdog() const { return watchdog_; }
  /// What of the environment makes no sense; empty: nothing.
  [[nodiscard]] const std::string& nonsense() const { return nonsense_; }
  /// Why a socket that was named is not told anything; empty: it is.
  [[nodiscard]] const std::string& why_deaf() const { return why_deaf_; }

 private:
  kernel::Descriptor socket_{-1};
  kernel::Nanoseconds watchdog_ = 0;
  std::string nonsense_;
  std::string why_deaf_;
};

}  // namespace antiphon
