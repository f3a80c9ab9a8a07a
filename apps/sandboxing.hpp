#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/server_arguments.hpp"
#include "apps/server_log.hpp"
#include "interpreters/sandbox/sandbox.hpp"

/// The sandbox of echo-server: computed from its program and its options before it starts, closed once it listens.

namespace antiphon {

/// Whether a server gets a sandbox where nobody says: not in a build with a sanitizer, which needs what no program
/// does.
bool sandbox_is_default();

/// Why `--sandbox on` cannot be had here, or none.
std::optional<std::string> why_no_sandbox();

/// What `--sandbox report` prints.
std::string sandbox_report(const ServerArguments& arguments);

class Sandboxing {
 public:
  /// `notices`: a service manager is told how the server stands.
  ///
  /// None of its functions does anything if the arguments ask for no sandbox. Otherwise a line of the log tells of each
  /// layer that the kernel lacks. Throws std::system_error.
  Sandboxing(const ServerArguments& arguments, const ServerLog& log, bool notices);

  /// Once there are as many threads as there will be, and before the last of them is closed.
  void limit_process() const;
  /// In a thread that runs the program, once it listens and before it accepts.
  void close_server() const;
  /// In the thread that has made the workers.
  void close_main_thread() const;

  /// What the rings of workers may be asked.
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> ring_operations() const { return ring_operations_; }

 private:
  std::optional<sandbox::Sandbox> server_;
  std::optional<sandbox::Sandbox> main_thread_;
  std::optional<std::vector<std::uint8_t>> ring_operations_;
};

/// Closes the sandbox of the calling process, which has one thread and does what these needs say and what any process
/// does. `signals`: it signals a process that has another sandbox.
void close_helper(const std::vector<sandbox::Need>& needs, bool signals);

/// The sandbox of the process that shows metrics, if it is to have one. Its library
/// starts threads: see `Sandbox::confine_thread`.
std::optional<sandbox::Sandbox> metrics_sandbox(const ServerArguments& arguments);

}  // namespace antiphon
