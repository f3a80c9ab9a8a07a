#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/endpoint.hpp"
#include "core/result.hpp"
#include "interpreters/kernel.hpp"

namespace antiphon::verify {

/// The client's end of one connection on the kernel, in the hands of somebody who knows what is to happen next.
/// Nothing waits longer than `patience_ms`, of which a new one has enough for a busy machine.
class Peer {
 public:
  int patience_ms = 2'000;

  /// `from`: an address of this host that it comes from; "": any.
  Result<Unit> connect(const Endpoint& at, const std::string& from = "");
  [[nodiscard]] bool is_connected() const { return socket_.valid(); }

  // What reaches the server. Whether anybody is there to meet it is not told.
  void send(std::string_view bytes);
  void end_side();
  void reset();

  /// Waits for that many bytes; answers those that came. What came beyond them is kept for the next time.
  std::string receive(std::size_t count);
  /// Waits for the server's end, or for its reset. What came before that and was not received is left out.
  bool meets_end();
  bool meets_reset();
  /// Nothing is there that was not received. What is there shows in `met`.
  bool has_nothing_more();
  /// What has come instead of what was waited for: "the end", "ECONNRESET", "12 bytes", "nothing".
  [[nodiscard]] std::string met() const;

 private:
  [[nodiscard]] bool wait_for(short events) const;
  /// Takes what has come. False: nothing comes any more, or in time.
  bool take();

  kernel::Descriptor socket_{-1};
  std::string kept_;
  bool ended_ = false;
  std::optional<Errno> error_;
  std::optional<Errno> send_error_;
};

}  // namespace antiphon::verify
