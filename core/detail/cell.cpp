#include "core/detail/cell.hpp"

namespace antiphon::detail {

namespace {

thread_local constinit Cell* dead = nullptr;
thread_local constinit bool reclaiming = false;

}  // namespace

void reclaim(Cell* cell) noexcept {
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
