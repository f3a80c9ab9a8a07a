#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/endpoint.hpp"
#include "core/programs/server.hpp"
#include "core/trace.hpp"
#include "interpreters/scenario.hpp"

/// Plays one scenario on any of the interpreters and tells what could be observed. On the kernel the server has a
/// process of its own and each client is a thread with a real socket; in the simulation both are the simulator's.

namespace antiphon::parity {

/// What any wait may take before the play is broken off. Nothing is expected to come near it.
inline constexpr int patience_ms = 60'000;

/// A server and what happens to it.
struct Play {
  /// Makes the server; it listens at the endpoint.
  std::function<Server(const Endpoint&)> server;
  /// They come once somebody listens.
  std::vector<Script> clients = {};
  /// So many addresses do they come from, by turns.
  std::uint32_t addresses = 1;
  /// The operator's stop, counted from when somebody listens.
  std::optional<std::uint32_t> stop_after_ms = {};
  /// The operator's stop, once the clients' scripts are over and nothing moves any more.
  bool stop_at_rest = false;
  /// How many sockets the server may hold from its second instruction on; it has one process then.
  std::optional<std::uint32_t> most_sockets = {};
};

/// What a client did and met.
struct ClientOutcome {
  std::uint64_t sent = 0;
  std::string received;
  bool refused = false;      ///< Nobody listened.
  bool met_end = false;      ///< The server ended its side.
  bool met_reset = false;    ///< The server reset the connection.
  bool reset_it = false;     ///< The client did.
  bool turned_away = false;  ///< Never got a connection.
};

struct Outcome {
  std::vector<Event> trace;
  std::vector<ClientOutcome> clients;

  /// Word for word: "Accept 1; Recv 3; Recv end; ends".
  [[nodiscard]] std::string process(ProcessId process) const;
  /// Recvs or Sends that follow each other count as one. How a stream is cut up is the network's affair.
  [[nodiscard]] std::string joined(ProcessId process) const;
  /// What is repeated is said once, without numbers: "Accept; Send; Send Expired; ends".
  [[nodiscard]] std::string shape(ProcessId process) const;
  /// How many processes there were.
  [[nodiscard]] std::size_t processes() const;
  /// "sent 3; received 3; end". Clients count from 0.
  [[nodiscard]] std::string client(std::size_t client) const;
  /// The last part of it: what was received, and how it ended.
  [[nodiscard]] std::string met(std::size_t client) const;
};

// -- The interpreters --------------------------------------------------------------------------------------------

struct Interpreter {
  std::string_view name;
  /// Why it cannot play here.
  std::optional<std::string> (*why_not)();
  Outcome (*play)(const Play& play);
};

extern const Interpreter on_fork;
extern const Interpreter on_epoll;
extern const Interpreter on_uring;
extern const Interpreter on_simulated;

}  // namespace antiphon::parity
