#include "verify/foreign/half_seen.hpp"

#include <algorithm>

namespace antiphon::verify {

void HalfSeen::receive(std::string_view bytes) {
  if (bytes.empty()) return;
  if (behind_.empty()) {
    seen_.receive(bytes);
  } else {
    behind_.push_back({received_, bytes.size(), std::string(bytes)});
  }
  received_ += bytes.size();
}

std::uint64_t HalfSeen::receive_unseen(std::uint64_t count) {
  const std::uint64_t position = received_;
  if (count > 0) behind_.push_back({position, count, ""});
  received_ += count;
  return position;
}

/// What is known at the front is owed like anything else.
void HalfSeen::settle() {
  while (!behind_.empty() && !behind_.front().bytes.empty()) {
    seen_.receive(behind_.front().bytes);
    behind_.pop_front();
  }
}

void HalfSeen::tell(std::uint64_t position, std::string_view bytes) {
  for (std::size_t index = 0; index < behind_.size() && !bytes.empty(); ++index) {
    const Part part = behind_[index];
    if (!part.bytes.empty() || position < part.position || position >= part.position + part.count) continue;
    const std::uint64_t before = position - part.position;
    const std::uint64_t told = std::min<std::uint64_t>(bytes.size(), part.count - before);
    const std::uint64_t after = part.count - before - told;
    const auto place = behind_.erase(behind_.begin() + static_cast<std::ptrdiff_t>(index));
    std::deque<Part> parts;
    if (before > 0) parts.push_back({part.position, before, ""});
    parts.push_back({position, told, std::string(bytes.substr(0, told))});
    if (after > 0) parts.push_back({position + told, after, ""});
    behind_.insert(place, parts.begin(), parts.end());
    position += told;
    bytes.remove_prefix(told);
  }
  settle();
}

bool HalfSeen::send(std::string_view bytes) {
  const bool known = behind_.empty() || bytes.size() <= seen_.owed().size() || seen_.mismatch();
  seen_.send(known ? bytes : bytes.substr(0, seen_.owed().size()));
  return known;
}

bool HalfSeen::send_unseen(std::uint64_t position, std::uint64_t count) {
  if (seen_.mismatch()) return true;
  if (position != seen_.sent()) return false;
  const std::string known(seen_.owed().substr(0, count));
  if (!known.empty()) {
    seen_.send(known);
    return known.size() == count || send_unseen(position + known.size(), count - known.size());
  }
  if (behind_.empty() || behind_.front().count < count) return false;
  Part& front = behind_.front();
  seen_.pass(count);
  front.position += count;
  front.count -= count;
  if (front.count == 0) behind_.pop_front();
  settle();
  return true;
}

std::uint64_t HalfSeen::debt() const {
  std::uint64_t count = seen_.owed().size();
  for (const Part& part : behind_) count += part.count;
  return count;
}

}  // namespace antiphon::verify
