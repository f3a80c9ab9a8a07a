#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace antiphon::pool {

/// Memory for nodes and buffers, from free lists of the calling thread: no heap allocation in the steady state.
///
/// A block goes back to the thread that gives it back. Small sizes are kept without bound, as many as were in use
/// at once; large ones (buffers) up to a bound for each size. What is kept is freed when its thread ends. A size
/// above `largest` goes straight to the heap.
///
/// Errors: `take` throws std::bad_alloc where the heap has no memory, and there is no reserve.
inline constexpr std::size_t largest = 65536 + 128;

/// How many blocks a thread's reserve has: some 32 KiB in all.
inline constexpr std::size_t reserved_blocks = 64;

namespace detail {

/// Sizes up to this come in steps, larger ones in powers of two and a header's room.
inline constexpr std::size_t small_limit = 512;
inline constexpr std::size_t step = 16;
inline constexpr std::size_t small_classes = small_limit / step;
inline constexpr std::size_t header_room = 128;
inline constexpr std::size_t large_classes = 7;  // 1024, 2048, …, 65536, each with header_room

struct Free {
  Free* next;
};

enum class Stage : std::uint8_t { unused, open, closed };

/// Trivially destructible, so that it can be used as long as its thread lives.
struct Lists {
  Free* small[small_classes];
  Free* large[large_classes];
  std::size_t kept_large[large_classes];
  Free* reserve;  ///< Blocks of `small_limit`.
  std::size_t reserved;
  std::ptrdiff_t outstanding;
  Stage stage;
};

extern constinit thread_local Lists lists;

constexpr std::size_t small_class_of(std::size_t size) { return size == 0 ? 0 : (size - 1) / step; }

void* take_slowly(std::size_t size);
void give_back_slowly(void* block, std::size_t size) noexcept;
bool fill_reserve() noexcept;

/// Where the sanitizer watches, every block goes the slow way, which tells it.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool watched = true;
#elif defined(__has_feature)
inline constexpr bool watched = __has_feature(address_sanitizer);
#else
inline constexpr bool watched = false;
#endif

}  // namespace detail

inline void* take(std::size_t size) {
  if (!detail::watched && size <= detail::small_limit) {
    detail::Free*& list = detail::lists.small[detail::small_class_of(size)];
    if (detail::Free* const head = list; head != nullptr) {
      list = head->next;
      ++detail::lists.outstanding;
      return head;
    }
  }
  return detail::take_slowly(size);
}

/// `size` is what `take` was asked for.
inline void give_back(void* block, std::size_t size) noexcept {
  if (detail::watched || size > detail::small_limit || detail::lists.stage != detail::Stage::open) {
    return detail::give_back_slowly(block, size);
  }
  detail::Free*& list = detail::lists.small[detail::small_class_of(size)];
  list = new (block) detail::Free{list};
  --detail::lists.outstanding;
}

/// Fills the calling thread's reserve: what small sizes are taken from where the heap has no memory. False: the reserve
/// is not whole, and cannot be made so. Whoever must not fail for want of memory asks before it begins.
inline bool keep_reserve() noexcept { return detail::lists.reserved == reserved_blocks || detail::fill_reserve(); }

/// Blocks taken and not yet given back by this thread: zero when no program and no Bytes is left.
inline std::ptrdiff_t outstanding() noexcept { return detail::lists.outstanding; }

/// Frees what this thread's free lists and its reserve hold.
void trim() noexcept;

}  // namespace antiphon::pool
