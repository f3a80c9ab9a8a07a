#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "apps/metrics_board.hpp"
#include "apps/metrics_families.hpp"
#include "core/endpoint.hpp"
#include "interpreters/sandbox/sandbox.hpp"
#include "interpreters/shared_lock.hpp"

namespace antiphon {

/// A process that shows a server's counters over HTTP, as Prometheus scrapes them, at /metrics. It is there before the
/// server has a socket, so it holds none of its, and nothing that its clients do is felt where the server counts.
///
/// It ends with the server: with its first process, however that ends, and at the latest when none is left. If it ends
/// earlier the server goes on.
class MetricsProcess {
 public:
  /// To be called by the server's first process while it has one thread and no child. The error: why it cannot serve
  /// there. `closed`: its sandbox, or null. `settle`: what its process does once it listens. Throws std::system_error
  /// or std::bad_alloc when the kernel has no room.
  static std::expected<std::unique_ptr<MetricsProcess>, std::string> start(const Endpoint& at, const ServerFacts& facts,
                                                                           const sandbox::Sandbox* closed,
                                                                           const std::function<void()>& settle);
  /// In the server's first process: ends it.
  ~MetricsProcess();
  MetricsProcess(const MetricsProcess&) = delete;
  MetricsProcess& operator=(const MetricsProcess&) = delete;

  /// The address, with the port that it has.
  [[nodiscard]] const std::string& at() const { return at_; }
  /// It has as many slots as the server has workers.
  [[nodiscard]] const MetricsBoard& board() const { return board_; }

  /// Whether it ended, though the server has not. One call is told so, of whatever thread. It costs no system call.
  bool has_died();

 private:
  explicit MetricsProcess(std::size_t workers) : board_(workers) {}
  [[noreturn]] void serve(const Endpoint& at, const ServerFacts& facts, const sandbox::Sandbox* closed, int server,
                          const std::function<void()>& settle);
  std::expected<std::string, std::string> await_address() const;

  MetricsBoard board_;
  SharedLock alive_;  ///< The process holds it as long as it lives.
  std::string at_;
  int pid_ = 0;
  int socket_ = -1;
};

}  // namespace antiphon
