#include "verify/foreign/open_files.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "interpreters/strace_arguments.hpp"

namespace antiphon::verify::foreign {

namespace {

/// More than a pipe or a socket holds: whoever reads them is not in the log.
constexpr std::uint64_t most_held = std::uint64_t{64} << 20U;

}  // namespace

std::string Client::name() const {
  return "client " + std::to_string(number) + (address.empty() ? "" : " (" + address + ")");
}

void Channel::put(Segment segment) {
  put_so_far_ += segment.count;
  if (lost_ || segment.count == 0) return;
  held_ += segment.count;
  segments_.push_back(std::move(segment));
  if (held_ > most_held) lose();
}

void Channel::take_back(std::uint64_t count) {
  put_so_far_ -= count;
  if (lost_) return;
  if (count > held_) return lose();
  held_ -= count;
  while (count > 0) {
    Segment& last = segments_.back();
    const std::uint64_t less = std::min(count, last.count);
    last.count -= less;
    if (last.count == 0) segments_.pop_back();
    count -= less;
  }
}

std::optional<std::vector<Segment>> Channel::look(std::uint64_t count) const {
  if (lost_ || count > held_) return std::nullopt;
  std::vector<Segment> found;
  for (std::size_t index = 0; count > 0; ++index) {
    const Segment& segment = segments_[index];
    const std::uint64_t part = std::min(segment.count, count);
    const bool known = segment.client == nullptr;
    found.push_back({known ? segment.bytes.substr(segment.position, part) : "", segment.client,
                     known ? 0 : segment.position, part});
    count -= part;
  }
  return found;
}

std::optional<std::vector<Segment>> Channel::take(std::uint64_t count) {
  auto found = look(count);
  if (!found) {
    lose();
    return found;
  }
  held_ -= count;
  while (count > 0) {
    Segment& first = segments_.front();
    const std::uint64_t less = std::min(count, first.count);
    first.count -= less;
    first.position += less;
    if (first.count == 0) segments_.pop_front();
    count -= less;
  }
  return found;
}

void Channel::lose() {
  lost_ = true;
  held_ = 0;
  segments_.clear();
}

int descriptor_in(std::string_view argument) {
  const auto number = strace::number(argument);
  return number && *number >= 0 && *number <= std::numeric_limits<int>::max() ? static_cast<int>(*number) : -1;
}

File Table::file(int descriptor) const {
  const auto found = slots.find(descriptor);
  return found == slots.end() ? nullptr : found->second.file;
}

File Table::take(int descriptor, std::size_t line) {
  const auto slot = slots.extract(descriptor);
  if (!slot) return nullptr;
  File file = std::move(slot.mapped().file);
  if (file->client) {
    closed[descriptor] = file->client->name() + ", and was closed in line " + std::to_string(line);
  }
  return file;
}

}  // namespace antiphon::verify::foreign
