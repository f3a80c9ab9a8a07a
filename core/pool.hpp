#pragma once

#include <cstddef>

namespace antiphon::pool {

/// Memory for nodes and buffers, from free lists of the calling thread: no heap allocation in the steady state.
///
/// A block goes back to the thread that gives it back. Small sizes are kept without bound, as many as were in use
/// at once; large ones (buffers) up to a bound for each size. What is kept is freed when its thread ends. A size
/// above `largest` goes straight to the heap.
///
/// Errors: `take` throws std::bad_alloc where the heap does.
inline constexpr std::size_t largest = 65536 + 128;

void* take(std::size_t size);

/// `size` is what `take` was asked for.
void give_back(void* block, std::size_t size) noexcept;

/// Blocks taken and not yet given back by this thread: zero when no program and no Bytes is left.
std::ptrdiff_t outstanding() noexcept;

/// Frees what this thread's free lists hold.
void trim() noexcept;

}  // namespace antiphon::pool
