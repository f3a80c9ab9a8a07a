#include "interpreters/tcp_stream.hpp"

#include <algorithm>

namespace antiphon::wire {

namespace {

/// More than is on its way at a time: what is missing will not come.
constexpr std::uint64_t most_waiting = std::uint64_t{64} << 20U;

}  // namespace

void TcpStream::start(std::uint32_t sequence) {
  started_ = true;
  first_ = sequence;
}

std::int64_t TcpStream::place(std::uint32_t sequence) const {
  const auto due = static_cast<std::uint32_t>(first_ + next_);
  return static_cast<std::int64_t>(next_) + static_cast<std::int32_t>(sequence - due);
}

std::string TcpStream::take(std::uint32_t sequence, const std::string& payload) {
  const std::int64_t start = place(sequence);
  const auto next = static_cast<std::int64_t>(next_);
  if (lost_ || payload.empty() || start + static_cast<std::int64_t>(payload.size()) <= next) return "";
  if (start > next) {
    std::string& kept = early_[static_cast<std::uint64_t>(start)];
    if (kept.size() >= payload.size()) return "";
    waiting_ += payload.size() - kept.size();
    kept = payload;
    if (waiting_ > most_waiting) {
      lost_ = true;
      early_.clear();
    }
    return "";
  }
  std::string bytes = payload.substr(next_ - static_cast<std::uint64_t>(start));
  next_ += bytes.size();
  while (!early_.empty() && early_.begin()->first <= next_) {
    const auto first = early_.extract(early_.begin());
    waiting_ -= first.mapped().size();
    const std::uint64_t known = std::min<std::uint64_t>(next_ - first.key(), first.mapped().size());
    bytes += first.mapped().substr(known);
    next_ += first.mapped().size() - known;
  }
  return bytes;
}

void TcpStream::end(std::uint32_t sequence) {
  const std::int64_t at = place(sequence);
  if (at >= 0 && !end_) end_ = static_cast<std::uint64_t>(at);
}

void TcpStream::acknowledge(std::uint32_t sequence) {
  const std::int64_t at = place(sequence);
  if (at > 0) acknowledged_ = std::max(acknowledged_, static_cast<std::uint64_t>(at));
}

std::uint64_t TcpStream::acknowledged() const {
  // The end has a number too.
  return end_ ? std::min(acknowledged_, *end_) : acknowledged_;
}

bool TcpStream::lacks() const { return lost_ || !early_.empty() || acknowledged() > next_ || (end_ && *end_ > next_); }

}  // namespace antiphon::wire
