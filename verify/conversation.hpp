#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// One connection of an echo server, as somebody sees it who knows nothing of the server's program: a log of system
/// calls, a capture of the wire, or the client itself.

namespace antiphon::verify {

/// Where what a server sent back is not what it had received.
struct Mismatch {
  std::uint64_t position = 0;  ///< In the stream, from 0.
  std::string before;          ///< What was sent back right before, its last `most_kept` bytes.
  std::string owed;            ///< From the position on: what should have come, as far as it was received and kept,
  std::string sent;            ///< and what came.
  bool nothing_owed = false;   ///< Not a byte of `owed` had been received when it came.

  static constexpr std::size_t most_kept = 4096;
};

/// Compares the two directions of a connection. Its memory is what is owed.
class Conversation {
 public:
  /// The server was given bytes.
  void receive(std::string_view bytes);
  /// The server gave bytes back.
  void send(std::string_view bytes);
  /// So many bytes were received and sent back in order, and nobody saw them. Only while nothing is owed.
  void pass(std::uint64_t bytes);

  [[nodiscard]] std::uint64_t received() const { return received_; }
  /// What came after a mismatch counts too.
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  /// What was received and not sent back yet. Once there is a mismatch: as it was then.
  [[nodiscard]] std::string_view owed() const { return std::string_view(owed_).substr(paid_); }
  /// The same, and before it what was sent back last.
  [[nodiscard]] std::string_view recent() const { return owed_; }
  /// The first one.
  [[nodiscard]] const std::optional<Mismatch>& mismatch() const { return mismatch_; }

 private:
  std::string owed_;
  std::size_t paid_ = 0;  ///< So much of `owed_` was sent back already.
  std::uint64_t received_ = 0;
  std::uint64_t sent_ = 0;
  std::optional<Mismatch> mismatch_;
};

/// What another connection was given, for telling whose bytes strayed.
struct Stream {
  std::string name;  ///< "client 2"
  std::string_view received;
};

/// The one whose bytes were sent, where they are not this connection's own; null if it is none of them.
const Stream* stranger(const Mismatch& mismatch, const std::vector<Stream>& others);

/// "1 byte", "5 bytes"
std::string bytes_text(std::uint64_t count);

/// What a server did wrong, as far as the bytes tell: it repeats, leaves out, reorders, mixes up connections, sends
/// what nobody sent, or alters. A sentence without subject: `leaves out 3 bytes at byte 10: sends "d" where "abcd" is
/// owed`.
std::string explain(const Mismatch& mismatch, const std::vector<Stream>& others);

}  // namespace antiphon::verify
