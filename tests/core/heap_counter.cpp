#include "tests/core/heap_counter.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

thread_local constinit std::int64_t count = 0;

void* allocate(std::size_t size) {
  ++count;
  if (void* const block = std::malloc(size == 0 ? 1 : size)) return block;
  throw std::bad_alloc();
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

}  // namespace antiphon
