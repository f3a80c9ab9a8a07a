#pragma once

#include <cstdint>
#include <limits>

/// The heap of a test's executable, which counts and, where a thread asks for it, has no memory.

namespace antiphon {

/// How often the calling thread took memory from the heap. The executable's `operator new` counts.
std::int64_t heap_allocations() noexcept;

namespace scarce_heap {

inline constexpr std::int64_t for_ever = std::numeric_limits<std::int64_t>::max();

/// Counts the calling thread's allocations from here on, from 1. Those from `first` to `last` throw std::bad_alloc: in
/// this thread, and in what it forks.
void fail(std::int64_t first, std::int64_t last) noexcept;

/// Ends it. Answers how many allocations failed.
std::int64_t recover() noexcept;

}  // namespace scarce_heap
}  // namespace antiphon
