#include "core/detail/cell.hpp"

#include <algorithm>

namespace antiphon::detail {

namespace {

thread_local constinit Cell* dead = nullptr;
thread_local constinit bool reclaiming = false;

}  // namespace

void note_kept(const Cell& root, std::uint8_t depth) noexcept {
  for (const Cell* cell = &root;; cell = cell->shape->first(*cell).get()) {
    cell->held.depth = std::max(cell->held.depth, depth);
    if (cell->held.kind != Kind::bind) return;
  }
}

void reclaim(Cell* cell) noexcept {
  if (cell->shape == &PlainFrame::the_shape) {
    // At once: nobody must find it while it waits for its turn below.
    auto* const frame = static_cast<PlainFrame*>(cell);
    const auto& waiting = static_cast<const WaitingCell&>(*frame->waiting);
    if (waiting.frame == frame) waiting.frame = nullptr;
  }
  cell->next_dead = dead;
  dead = cell;
  if (reclaiming) return;  // the loop below, further up this stack, takes it
  reclaiming = true;
  while (dead != nullptr) {
    Cell* const next = dead;
    dead = next->next_dead;
    next->shape->dispose(next);
  }
  reclaiming = false;
}

}  // namespace antiphon::detail
