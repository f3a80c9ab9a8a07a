#include "interpreters/line_reader.hpp"

#include <algorithm>
#include <cstring>

namespace antiphon {

namespace {

constexpr std::size_t block = std::size_t{256} << 10U;

}  // namespace

/// More of the text behind what is not read yet. False: there is no more.
bool LineReader::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() < end_ + block) buffer_.resize(std::max(2 * buffer_.size(), end_ + block));
  const std::streamsize size = in_->rdbuf()->sgetn(buffer_.data() + end_, static_cast<std::streamsize>(block));
  end_ += static_cast<std::size_t>(size);
  return size > 0;
}

std::expected<std::optional<std::string_view>, std::string> LineReader::next() {
  if (at_end_) return std::nullopt;
  std::size_t searched = 0;
  for (;;) {
    const std::string_view text = unread();
    const std::size_t length = text.find('\n', searched);
    if (std::min(length, text.size()) > longest_) {
      ++number_;
      return std::unexpected(text.find('\0') == std::string_view::npos ? "the line is longer than any that belongs here"
                                                                       : "a NUL byte: this is no text");
    }
    if (length != std::string_view::npos) {
      ++number_;
      begin_ += length + 1;
      return text.substr(0, length);
    }
    searched = text.size();
    if (in_->bad() || !fill()) break;
  }
  at_end_ = true;
  if (in_->bad()) {
    ++number_;
    return std::unexpected("the file cannot be read");
  }
  if (begin_ < end_ || number_ == 0) ++number_;
  return std::nullopt;
}

}  // namespace antiphon
