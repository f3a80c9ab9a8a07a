#include "tests/heap.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace {

struct Scarcity {
  std::int64_t first = 0;
  std::int64_t last = -1;
  std::int64_t count = 0;
  std::int64_t failures = 0;
};

thread_local constinit std::int64_t count = 0;
thread_local constinit Scarcity scarcity;

bool fails() {
  ++scarcity.count;
  if (scarcity.count < scarcity.first || scarcity.count > scarcity.last) return false;
  ++scarcity.failures;
  return true;
}

void* allocate(std::size_t size) {
  ++count;
  void* const block = fails() ? nullptr : std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }

namespace antiphon {

std::int64_t heap_allocations() noexcept { return count; }

namespace scarce_heap {

void fail(std::int64_t first, std::int64_t last) noexcept { scarcity = {.first = first, .last = last}; }

std::int64_t recover() noexcept { return std::exchange(scarcity, {}).failures; }

}  // namespace scarce_heap
}  // namespace antiphon
