#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "apps/exit_code.hpp"
#include "apps/server_log.hpp"
#include "verify/judge.hpp"

/// What `echo-server --monitor` tells on standard error, however the server runs.

namespace antiphon {

/// What a violation leads to while the server runs.
enum class OnViolation : std::uint8_t {
  log,   ///< A line.
  abort  ///< The line, and the end of the server.
};

/// Tells of a violation in a line. `who`: which of several workers, or "".
void tell_violation(const ServerLog& log, const verify::Violation& violation, const std::string& who);
/// The monitor judges no more. `who`: as above.
void tell_blind(const ServerLog& log, const std::string& who, std::string_view why);

/// A verifier's sentence without what it quotes of a connection's bytes.
std::string without_payload(std::string_view sentence);

/// What became of the monitors of one run.
class MonitorReport {
 public:
  void add(const verify::Verdict& verdict, const std::string& who);
  /// A part of the run was not judged.
  void add_remark(const std::string& remark) { remarks_.push_back(remark); }

  /// "holds: 88 events, 4 connections"
  [[nodiscard]] std::string line() const;
  void tell(const ServerLog& log) const;
  [[nodiscard]] ExitCode code() const;

 private:
  std::set<std::string_view> broken_;
  std::vector<std::string> remarks_;
  std::uint64_t events_ = 0;
  std::uint64_t connections_ = 0;
};

/// The exit code of a server that ended by `server` and was judged: what went wrong in it comes first.
inline ExitCode joined(ExitCode server, ExitCode monitor) { return server == ExitCode::holds ? monitor : server; }

}  // namespace antiphon
