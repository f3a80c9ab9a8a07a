#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interpreters/sandbox/filter.hpp"
#include "interpreters/sandbox/landlock.hpp"
#include "interpreters/sandbox/needs.hpp"

/// A sandbox for a process that serves: it may do what its needs say, and nothing else. Its layers, from the outside:
/// no_new_privs, no capabilities, limits, Landlock for files and ports, seccomp for system calls. What an io_uring may
/// be asked is a layer of the ring itself (`LoopOptions::ring_operations`).

namespace antiphon::sandbox {

/// A capability that is kept where the process has it; all others are dropped.
struct Capability {
  int number;
  std::string_view name;
  std::string_view why;
};

/// A limit of the whole process.
struct Limit {
  int resource;
  std::string_view name;
  std::uint64_t most;
  std::string_view why;
};

struct Profile {
  std::vector<Need> needs;
  std::vector<Refusal> refusals;
  Grounds grounds;
  std::vector<Capability> keeps;
  std::vector<Limit> limits;
};

/// What a program of this reach needs once it listens, in a process like this one.
Profile profile_of(const Reach& reach, const Surroundings& surroundings);

/// For a process that runs no program: these needs, and those of any process. It starts none, and writes to no file but
/// what is its standard output and error. `changes_user`: it is still to become another user, and loses its
/// capabilities by that.
Profile profile_of_helper(const std::vector<Need>& needs, const Grounds& grounds = {}, bool changes_user = false);

class Sandbox {
 public:
  /// Computes the filter. Throws std::system_error.
  explicit Sandbox(Profile profile);

  /// The limits, which hold for all threads: to be called once no more are made, and before the last is closed.
  void limit_process() const;
  /// Closes the sandbox around the calling thread and all that it forks, for ever. The layers that this kernel lacks
  /// are left out (see `missing_layers`). Throws std::system_error where one fails that it has.
  void close_thread() const;

  /// The same in two steps, for a thread that has a library start others: first all layers but the filter, which they
  /// inherit; then the filter for all of them.
  void confine_thread() const;
  void filter_all_threads() const;

 private:
  Profile profile_;
  std::optional<Filter> filter_;  ///< None: the kernel has none.
};

/// A sanitizer makes calls that no program asks for, and cannot go on without them.
bool built_with_sanitizer();

/// What this kernel lacks, a line each.
std::vector<std::string> missing_layers();

}  // namespace antiphon::sandbox
