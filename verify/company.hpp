#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/programs/server.hpp"
#include "core/trace.hpp"
#include "interpreters/kernel.hpp"
#include "verify/performer.hpp"
#include "verify/score.hpp"

namespace antiphon::verify {

/// The interpreter that a program is performed on.
enum class Stage : std::uint8_t { fork, epoll, uring };
inline constexpr std::string_view stage_names[] = {"fork", "epoll", "uring"};

/// Why this kernel has no such stage, in a few words; none if it has.
std::optional<std::string> why_not(Stage stage);

/// The server's processes. They are a group of their own, and are killed when this is over, or when whoever holds it is
/// killed. (What the first of them forked, and did not wait for, init has to reap.)
class Company {
 public:
  /// Throws std::system_error where the kernel has no room.
  Company(const Server& server, const Score& score, Progress& progress, Stage stage);
  ~Company();
  Company(const Company&) = delete;
  Company& operator=(const Company&) = delete;

  /// The next event that is there.
  std::optional<ProcessEvent> next_event();

  void stop() const;
  /// Where each process is one of the operating system.
  static void stop_one(Pid process);
  /// The same; for ten seconds at most.
  static void await_end(Pid process);

 private:
  kernel::Descriptor news_{-1};
  kernel::Descriptor life_{-1};  ///< Whose end the group does not outlive.
  int first_ = -1;               ///< The first one's pid, and the number of the group.
  std::array<char, 65'536> buffer_{};
};

}  // namespace antiphon::verify
