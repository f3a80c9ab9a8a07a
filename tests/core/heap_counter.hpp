#pragma once

#include <cstdint>

namespace antiphon {

/// How often the calling thread took memory from the heap. The executable's `operator new` counts.
std::int64_t heap_allocations() noexcept;

}  // namespace antiphon
