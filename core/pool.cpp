#include "core/pool.hpp"

#include <bit>
#include <cstdint>
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

namespace {

/// Sizes up to 512 come in steps of 16, larger ones in powers of two and a header's room.
constexpr std::size_t step = 16;
constexpr std::size_t small_limit = 512;
constexpr std::size_t small_classes = small_limit / step;
constexpr std::size_t header_room = 128;
constexpr std::size_t large_classes = 7;  // 1024, 2048, …, 65536, each with header_room
constexpr std::size_t classes = small_classes + large_classes;
constexpr std::size_t kept_large = 64;

struct Free {
  Free* next;
};

enum class Stage : std::uint8_t { unused, open, closed };

/// Trivially destructible, so that it can be used as long as its thread lives.
struct Lists {
  Free* heads[classes];
  std::size_t kept[classes];
  std::ptrdiff_t outstanding;
  Stage stage;
};

thread_local constinit Lists lists{};

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

std::size_t class_of(std::size_t size) {
  if (size <= small_limit) return size == 0 ? 0 : (size - 1) / step;
  const std::size_t rest = size > header_room ? size - header_room : 1;
  const auto power = static_cast<std::size_t>(std::bit_width(rest - 1));
  return small_classes + (power <= 10 ? 0 : power - 10);
}

std::size_t size_of_class(std::size_t index) {
  if (index < small_classes) return (index + 1) * step;
  return (std::size_t{1024} << (index - small_classes)) + header_room;
}

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

}  // namespace

void* take(std::size_t size) {
  ++lists.outstanding;
  if (size > largest) return ::operator new(size);
  const std::size_t index = class_of(size);
  Free* const head = lists.heads[index];
  if (head == nullptr) return ::operator new(size_of_class(index));
  lists.heads[index] = head->next;
  --lists.kept[index];
  show(head, size_of_class(index));
  return head;
}

void give_back(void* block, std::size_t size) noexcept {
  --lists.outstanding;
  if (size > largest) return ::operator delete(block);
  const std::size_t index = class_of(size);
  const bool full = index >= small_classes && lists.kept[index] >= kept_large;
  if (full || !open_lists()) return ::operator delete(block);
  auto* const free = new (block) Free{lists.heads[index]};
  lists.heads[index] = free;
  ++lists.kept[index];
  hide(block, size_of_class(index));
}

std::ptrdiff_t outstanding() noexcept { return lists.outstanding; }

void trim() noexcept {
  for (std::size_t index = 0; index < classes; ++index) {
    while (lists.heads[index] != nullptr) {
      Free* const head = lists.heads[index];
      lists.heads[index] = head->next;
      show(head, size_of_class(index));
      ::operator delete(head);
    }
    lists.kept[index] = 0;
  }
}

}  // namespace antiphon::pool
