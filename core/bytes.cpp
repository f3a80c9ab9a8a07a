#include "core/bytes.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "core/pool.hpp"

namespace antiphon {

namespace {

thread_local constinit std::uint64_t look_count = 0;

void to_pool(Buffer* buffer) noexcept { pool::give_back(buffer, sizeof(Buffer) + buffer->capacity); }

}  // namespace

Buffer* Buffer::make(std::size_t capacity) {
  void* const block = pool::take(sizeof(Buffer) + capacity);
  auto* const data = static_cast<std::byte*>(block) + sizeof(Buffer);
  return new (block) Buffer{1, static_cast<std::uint32_t>(capacity), data, &to_pool, false};
}

Bytes::Bytes(Buffer* buffer, std::size_t size) : buffer_(buffer), size_(static_cast<std::uint32_t>(size)) {}

Bytes Bytes::copy_of(std::string_view text) { return copy_of(std::as_bytes(std::span(text))); }

Bytes Bytes::copy_of(std::span<const std::byte> content) {
  if (content.empty()) return {};
  Buffer* const buffer = Buffer::make(content.size());
  std::memcpy(buffer->data, content.data(), content.size());
  return {buffer, content.size()};
}

namespace {

/// How far a stretch goes from the buffer's start, and the digest of all up to there.
using Known = StreamDigest;

std::span<const Known> known_of(const Buffer& buffer) {
  return {reinterpret_cast<const Known*>(buffer.data), buffer.capacity / sizeof(Known)};
}

}  // namespace

Bytes Bytes::of_digests(std::span<const StreamDigest> stretches) {
  Buffer* const buffer = Buffer::make(stretches.size() * sizeof(Known));
  buffer->kept = false;
  buffer->marked = true;
  Known all;
  std::size_t place = 0;
  for (const StreamDigest& stretch : stretches) {
    all = all + stretch;
    std::memcpy(buffer->data + sizeof(Known) * place++, &all, sizeof(Known));
  }
  return {buffer, static_cast<std::size_t>(all.size)};
}

std::optional<StreamDigest> Bytes::digest() const {
  if (size_ == 0) return StreamDigest{};
  if (is_kept()) return std::nullopt;
  Known front;
  std::optional<StreamDigest> found;
  for (const Known& known : known_of(*buffer_)) {
    if (known.size == offset_) front = known;
    if (known.size == std::uint64_t{offset_} + size_ && front.size == offset_) found = without_front(known, front);
  }
  return found;
}

Bytes Bytes::drop(std::size_t count) const {
  Bytes rest = *this;
  const auto gone = static_cast<std::uint32_t>(std::min<std::size_t>(count, size_));
  rest.offset_ += gone;
  rest.size_ -= gone;
  return rest;
}

Bytes Bytes::take(std::size_t count) const {
  Bytes front = *this;
  front.size_ = static_cast<std::uint32_t>(std::min<std::size_t>(count, size_));
  return front;
}

std::string_view Bytes::view() const {
  if (buffer_ != nullptr && buffer_->marked) ++look_count;
  return content();
}

std::uint64_t looks() noexcept { return look_count; }

}  // namespace antiphon
