#include "verify/foreign/recent.hpp"

#include <algorithm>

namespace antiphon::verify::foreign {

namespace {

constexpr std::size_t most_ended = 64;
constexpr std::size_t most_remembered = 2 * Mismatch::most_kept;

}  // namespace

void Recent::open(std::uint64_t number, std::function<Stream()> stream) { open_[number] = std::move(stream); }

void Recent::close(std::uint64_t number) {
  const auto found = open_.find(number);
  if (found == open_.end()) return;
  const Stream stream = found->second();
  const std::size_t kept = std::min(stream.received.size(), most_remembered);
  ended_.emplace_back(stream.name, stream.received.substr(stream.received.size() - kept));
  if (ended_.size() > most_ended) ended_.pop_front();
  open_.erase(found);
}

std::vector<Stream> Recent::others(std::uint64_t number) const {
  std::vector<Stream> streams;
  for (const auto& [other, stream] : open_) {
    if (other != number) streams.push_back(stream());
  }
  for (const auto& [name, received] : ended_) streams.push_back({name, received});
  return streams;
}

}  // namespace antiphon::verify::foreign
