#pragma once

#include <cstddef>
#include <expected>
#include <istream>
#include <optional>
#include <string>
#include <string_view>

namespace antiphon {

/// Reads a text line by line, in memory of the longest line.
class LineReader {
 public:
  /// Refers to the stream, which outlives it. A line that is longer is refused.
  LineReader(std::istream& in, std::size_t longest) : in_(&in), longest_(longest) {}

  /// The next whole line without its end, valid until the next call; none once there is none. The error is one
  /// sentence.
  std::expected<std::optional<std::string_view>, std::string> next();

  /// Once the end was met: what stands behind the last line's end.
  [[nodiscard]] std::string_view rest() const { return unread(); }
  /// Of what was read last, from 1: a rest counts, an end does not.
  [[nodiscard]] std::size_t number() const { return number_; }

 private:
  [[nodiscard]] std::string_view unread() const { return {buffer_.data() + begin_, end_ - begin_}; }
  bool fill();

  std::istream* in_;
  std::size_t longest_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t number_ = 0;
  bool at_end_ = false;
};

}  // namespace antiphon
