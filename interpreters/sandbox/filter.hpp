#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "interpreters/sandbox/needs.hpp"

namespace antiphon::sandbox {

/// A seccomp filter: the kernel ends a process by SIGSYS that makes another call than these. It is made once, and each
/// thread puts it on itself; processes that are forked afterwards have it too.
///
/// A call without conditions costs next to nothing: the kernel knows in advance that it is allowed. The number -1 is
/// let through: the kernel makes nothing of it, and strace puts it where it injects an error.
class Filter {
 public:
  /// The needs' calls, of any order; the ring's operations are none of its business. Throws std::system_error.
  Filter(const std::vector<Need>& needs, const std::vector<Refusal>& refusals);

  enum class On : std::uint8_t { this_thread, all_threads };

  /// The calling thread must have set no_new_privs. Throws std::system_error.
  void install(On threads = On::this_thread) const;

 private:
  std::vector<std::uint64_t> instructions_;  ///< Of the kernel's classic BPF, 8 bytes each.
};

/// Why there is no filter here, in a few words; none if there is.
std::optional<std::string> why_no_filter();

}  // namespace antiphon::sandbox
