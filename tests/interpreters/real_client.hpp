#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/endpoint.hpp"
#include "interpreters/scenario.hpp"
#include "tests/interpreters/parity.hpp"

namespace antiphon::parity {

/// Does what the script says on a real socket, by the rules of the simulated clients: it reads whatever arrives, and
/// lets go once the script is over and the server has ended its side.
class RealClient {
 public:
  /// `host`: the address that it comes from.
  RealClient(std::uint32_t client, const std::string& host, const Endpoint& server);
  ~RealClient();
  RealClient(const RealClient&) = delete;
  RealClient& operator=(const RealClient&) = delete;

  void perform(const Script& script);
  /// `server_is_over`: nothing more will come.
  ClientOutcome await_the_end(const std::atomic<bool>& server_is_over);

 private:
  class Conversation;
  std::unique_ptr<Conversation> conversation_;
};

}  // namespace antiphon::parity
