#include "core/detail/cell.hpp"

#include <algorithm>

namespace antiphon::detail {

namespace {

thread_local constinit Cell* dead = nullptr;
thread_local constinit bool reclaiming = false;

}  // namespace

void note_kept(const Cell& root, std::uint8_t depth) noexcept {
  for (const Cell* cell = &root;; cell = cell->shape->first(*cell).get()) {  // the bind holds it
    cell->held.depth = std::max(cell->held.depth, depth);
    if (cell->held.kind != Kind::bind || cell->shape->original != nullptr) return;
  }
}

void reclaim(Cell* cell) noexcept {
  // At once: nobody must find it while it waits for its turn below.
  if (cell->shape == &PlainFrame::the_shape) forget(*static_cast<PlainFrame*>(cell));
  if (reclaiming) {  // the loop below, further up this stack, takes it
    cell->next_dead = dead;
    dead = cell;
    return;
  }
  reclaiming = true;
  cell->shape->dispose(cell);
  while (dead != nullptr) {
    Cell* const next = dead;
    dead = next->next_dead;
    next->shape->dispose(next);
  }
  reclaiming = false;
}

}  // namespace antiphon::detail
