#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "verify/conversation.hpp"

namespace antiphon::verify {

/// The two directions of a connection, some bytes of which go by unseen: splice(2) moves them inside the kernel, and a
/// log of system calls shows only how many.
class HalfSeen {
 public:
  void receive(std::string_view bytes);
  /// Answers the position of the first of them in the stream.
  std::uint64_t receive_unseen(std::uint64_t count);
  /// Bytes that went in unseen show somewhere else.
  void tell(std::uint64_t position, std::string_view bytes);

  /// False: what is owed there is not known, so nothing can be said of what was sent.
  [[nodiscard]] bool send(std::string_view bytes);
  /// Bytes of this connection go back unseen. False: others were owed.
  [[nodiscard]] bool send_unseen(std::uint64_t position, std::uint64_t count);

  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] std::uint64_t sent() const { return seen_.sent(); }
  /// How many bytes are owed.
  [[nodiscard]] std::uint64_t debt() const;
  /// All that stands before the first byte that is not known.
  [[nodiscard]] const Conversation& seen() const { return seen_; }

 private:
  struct Part {
    std::uint64_t position;
    std::uint64_t count;
    std::string bytes;  ///< "" if they are not known.
  };
  void settle();

  Conversation seen_;
  std::deque<Part> behind_;  ///< From the first byte on that is not known.
  std::uint64_t received_ = 0;
};

}  // namespace antiphon::verify
