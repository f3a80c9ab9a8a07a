#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace antiphon::wire {

/// One direction of a TCP connection, put together from its segments: what is repeated counts once, and what comes too
/// soon waits for what is before it.
class TcpStream {
 public:
  /// `sequence`: of the first byte.
  void start(std::uint32_t sequence);
  [[nodiscard]] bool started() const { return started_; }
  /// Whether the stream begins with this number.
  [[nodiscard]] bool begins_at(std::uint32_t sequence) const { return started_ && first_ == sequence; }

  /// The bytes that are next in the stream, now that this segment came.
  std::string take(std::uint32_t sequence, const std::string& payload);
  /// The sender ends its side with the byte before this number.
  void end(std::uint32_t sequence);
  /// The receiver has all before this number.
  void acknowledge(std::uint32_t sequence);

  /// How many bytes came without a gap.
  [[nodiscard]] std::uint64_t bytes() const { return next_; }
  /// How many of the stream's bytes the receiver says it has.
  [[nodiscard]] std::uint64_t acknowledged() const;
  /// All came, and then the end.
  [[nodiscard]] bool ended() const { return end_ && *end_ <= next_; }
  /// Bytes that came, or that the receiver has, are not in the capture.
  [[nodiscard]] bool lacks() const;
  /// So much waits that what is before it will not come: nothing more is taken.
  [[nodiscard]] bool lost() const { return lost_; }

 private:
  /// The place of a number in the stream, which may be longer than numbers go.
  [[nodiscard]] std::int64_t place(std::uint32_t sequence) const;

  bool started_ = false;
  std::uint32_t first_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::optional<std::uint64_t> end_;
  std::map<std::uint64_t, std::string> early_;
  std::uint64_t waiting_ = 0;  ///< So many bytes are early.
  bool lost_ = false;
};

}  // namespace antiphon::wire
