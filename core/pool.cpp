#include "core/pool.hpp"

#include <bit>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define ANTIPHON_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ANTIPHON_ADDRESS_SANITIZER 1
#endif
#endif

#ifdef ANTIPHON_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace antiphon::pool {

namespace detail {

constinit thread_local Lists lists{};

namespace {

constexpr std::size_t most_kept_large = 64;

/// Frees the lists at the end of the thread; from then on blocks go to the heap.
struct Closer {
  ~Closer() {
    trim();
    lists.stage = Stage::closed;
  }
  void touch() const {}
};

thread_local Closer closer;

/// Makes sure that somebody will free what the lists keep. False if that is over.
bool open_lists() {
  if (lists.stage == Stage::unused) {
    closer.touch();
    lists.stage = Stage::open;
  }
  return lists.stage == Stage::open;
}

std::size_t large_class_of(std::size_t size) {
  const std::size_t rest = size > header_room ? size - header_room : 1;
  const auto power = static_cast<std::size_t>(std::bit_width(rest - 1));
  return power <= 10 ? 0 : power - 10;
}

/// The list that a size belongs to, and how large its blocks are.
struct Class {
  explicit Class(std::size_t size)
      : small(size <= small_limit),
        index(small ? small_class_of(size) : large_class_of(size)),
        block(small ? (index + 1) * step : (std::size_t{1024} << index) + header_room),
        list(small ? lists.small[index] : lists.large[index]) {}

  bool small;
  std::size_t index;
  std::size_t block;
  Free*& list;
};

void hide([[maybe_unused]] void* block, [[maybe_unused]] std::size_t size) {
#ifdef ANTIPHON_ADDRESS_SANITIZER
  __asan_poison_memory_region(static_cast<std::byte*>(block) + sizeof(Free), size - sizeof(Free));
#endif
}

void show([[maybe_unused]] void* block, [[maybe_unused]] std::size_t size) {
#ifdef ANTIPHON_ADDRESS_SANITIZER
  __asan_unpoison_memory_region(block, size);
#endif
}

void free_all(Free*& list, std::size_t block) {
  while (list != nullptr) {
    Free* const head = list;
    list = head->next;
    show(head, block);
    ::operator delete(head);
  }
}

/// From the heap, or else from the reserve.
void* take_anew(std::size_t block) {
  try {
    return ::operator new(block);
  } catch (const std::bad_alloc&) {
    if (block > small_limit || lists.reserve == nullptr) throw;
  }
  Free* const reserved = lists.reserve;
  lists.reserve = reserved->next;
  --lists.reserved;
  return reserved;
}

void* take_from_list(std::size_t size) {
  if (size > largest) return take_anew(size);
  const Class sizes(size);
  Free* const head = sizes.list;
  if (head == nullptr) return take_anew(sizes.block);
  sizes.list = head->next;
  if (!sizes.small) --lists.kept_large[sizes.index];
  show(head, sizes.block);
  return head;
}

}  // namespace

void* take_slowly(std::size_t size) {
  void* const taken = take_from_list(size);
  ++lists.outstanding;
  return taken;
}

bool fill_reserve() noexcept {
  try {
    while (lists.reserved < reserved_blocks && open_lists()) {
      lists.reserve = new (::operator new(small_limit)) Free{lists.reserve};
      ++lists.reserved;
    }
  } catch (const std::bad_alloc&) {
    return false;
  }
  return lists.reserved == reserved_blocks;
}

void give_back_slowly(void* block, std::size_t size) noexcept {
  --lists.outstanding;
  if (size > largest) return ::operator delete(block);
  const Class sizes(size);
  const bool full = !sizes.small && lists.kept_large[sizes.index] >= most_kept_large;
  if (full || !open_lists()) return ::operator delete(block);
  sizes.list = new (block) Free{sizes.list};
  if (!sizes.small) ++lists.kept_large[sizes.index];
  hide(block, sizes.block);
}

}  // namespace detail

void trim() noexcept {
  using namespace detail;
  for (std::size_t index = 0; index < small_classes; ++index) free_all(lists.small[index], (index + 1) * step);
  for (std::size_t index = 0; index < large_classes; ++index) {
    free_all(lists.large[index], (std::size_t{1024} << index) + header_room);
    lists.kept_large[index] = 0;
  }
  free_all(lists.reserve, small_limit);
  lists.reserved = 0;
}

}  // namespace antiphon::pool
