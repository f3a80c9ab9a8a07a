#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/stream_digest.hpp"

namespace antiphon {

/// The memory behind Bytes. Whoever makes one may say how it goes back where it came from (a pool, a ring's slot).
struct Buffer {
  std::uint32_t references;
  std::uint32_t capacity;
  std::byte* data;
  void (*recycle)(Buffer*) noexcept;
  bool marked;       ///< The content came from outside: a program that looks at it is noticed.
  bool kept = true;  ///< False: the content is not there, only its size and digests (Bytes::of_digests).
  /// What it is known by, where its content stands for any: identity goes by the name then. 0: by the content.
  std::uint32_t name = 0;

  /// A buffer of the calling thread's pool with one reference. Throws std::bad_alloc.
  static Buffer* make(std::size_t capacity);
};

/// An immutable, shared slice of a buffer: copying it copies a pointer. Its size is open to programs; its content
/// is data. A program that never looks at content (`view`, comparison) is data-independent, and `looks` tells.
///
/// A Bytes belongs to one thread.
class Bytes {
 public:
  Bytes() = default;
  /// Takes over one reference to `buffer`; `size` is at most its capacity.
  Bytes(Buffer* buffer, std::size_t size);
  static Bytes copy_of(std::string_view text);
  static Bytes copy_of(std::span<const std::byte> content);
  /// Bytes that are not kept: as many as the stretches have together, one behind the other.
  static Bytes of_digests(std::span<const StreamDigest> stretches);

  Bytes(const Bytes& other) noexcept : buffer_(other.buffer_), offset_(other.offset_), size_(other.size_) {
    if (buffer_ != nullptr) ++buffer_->references;
  }
  Bytes(Bytes&& other) noexcept : buffer_(other.buffer_), offset_(other.offset_), size_(other.size_) {
    other.buffer_ = nullptr;
    other.offset_ = other.size_ = 0;
  }
  Bytes& operator=(Bytes other) noexcept {
    std::swap(buffer_, other.buffer_);
    std::swap(offset_, other.offset_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Bytes() {
    if (buffer_ != nullptr && --buffer_->references == 0) buffer_->recycle(buffer_);
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// Without the first `count` bytes (all of them when there are fewer).
  [[nodiscard]] Bytes drop(std::size_t count) const;
  /// The first `count` bytes (all of them when there are fewer).
  [[nodiscard]] Bytes take(std::size_t count) const;

  /// Whether the content is there.
  [[nodiscard]] bool is_kept() const { return buffer_ == nullptr || buffer_->kept; }
  /// Of bytes that are not kept: their digest, if they begin and end where stretches do.
  [[nodiscard]] std::optional<StreamDigest> digest() const;

  /// The content; "" if it is not kept. This is a look.
  [[nodiscard]] std::string_view view() const;
  /// The same for interpreters, which may see it.
  [[nodiscard]] std::string_view content() const {
    return buffer_ == nullptr || !buffer_->kept
               ? std::string_view{}
               : std::string_view(reinterpret_cast<const char*>(buffer_->data) + offset_, size_);
  }
  /// The buffer and the place in it: where these bytes came from.
  [[nodiscard]] const Buffer* buffer() const { return buffer_; }
  [[nodiscard]] std::size_t offset() const { return offset_; }

  /// By content, which is a look; by digests, if neither is kept.
  friend bool operator==(const Bytes& left, const Bytes& right) {
    if (left.is_kept() && right.is_kept()) return left.view() == right.view();
    return left.size() == right.size() && left.digest() && left.digest() == right.digest();
  }

 private:
  Buffer* buffer_ = nullptr;
  std::uint32_t offset_ = 0;
  std::uint32_t size_ = 0;
};

/// How often this thread looked at the content of a marked buffer. An interpreter that wants to know whether a
/// program is data-independent compares it before and after a step.
std::uint64_t looks() noexcept;

}  // namespace antiphon
