#include "interpreters/loop/slots.hpp"

#include <cstring>
#include <new>
#include <utility>

#include "core/pool.hpp"

namespace antiphon::loop {

namespace {

/// In wake-ups. What one brings is sent in the turns after it, and on io_uring the next tells that it is sent: then,
/// in the turns after that, who sends only what came lets go.
constexpr std::uint32_t longest_hold = 2;

}  // namespace

Pages allocate_pages(std::size_t size) {
  constexpr std::size_t page = 4096;
  Pages pages(static_cast<std::byte*>(std::aligned_alloc(page, (size + page - 1) / page * page)));
  if (!pages) throw std::bad_alloc();
  return pages;
}

Slots::Slots(std::uint32_t count) : memory_(allocate_pages(count * slot_bytes)) {
  free_.reserve(count);
  for (std::uint32_t number = count; number > 0; --number) free_.push_back(number - 1);
}

Slots::~Slots() {
  while (oldest_ != nullptr && detach(*oldest_)) {
  }
  if (spare_ != nullptr) pool::give_back(spare_, sizeof(Slot));
}

bool Slots::make_ready() noexcept {
  if (spare_ != nullptr) return true;
  try {
    spare_ = pool::take(sizeof(Slot));
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

Bytes Slots::filled(std::uint32_t number, std::size_t size) {
  if (!make_ready()) {
    free_.push_back(number);
    throw std::bad_alloc();
  }
  void* const block = std::exchange(spare_, nullptr);
  Slot* const slot = new (block) Slot{
      {1, static_cast<std::uint32_t>(size), memory(number), &recycle, false}, this, newest_, nullptr, number, wake_up_};
  (newest_ == nullptr ? oldest_ : newest_->newer) = slot;
  newest_ = slot;
  return {slot, size};
}

bool Slots::detach_oldest() { return oldest_ != nullptr && detach(*oldest_); }

bool Slots::detach(const Bytes& bytes) {
  if (bytes.buffer() == nullptr || bytes.buffer()->recycle != &recycle) return true;
  // Only who made the buffer may change it, and that was us.
  Slot& slot = *const_cast<Slot*>(static_cast<const Slot*>(bytes.buffer()));
  return slot.home == nullptr || detach(slot);
}

bool Slots::detach(Slot& slot) noexcept {
  std::byte* copy = nullptr;
  try {
    copy = static_cast<std::byte*>(pool::take(slot.capacity));
  } catch (const std::bad_alloc&) {
    return false;
  }
  std::memcpy(copy, slot.data, slot.capacity);
  slot.data = copy;
  unlink(slot);
  free_.push_back(slot.number);
  slot.home = nullptr;
  return true;
}

void Slots::wake_up() {
  ++wake_up_;
  while (oldest_ != nullptr && wake_up_ - oldest_->wake_up > longest_hold && detach(*oldest_)) {
  }
}

void Slots::unlink(Slot& slot) noexcept {
  (slot.older == nullptr ? oldest_ : slot.older->newer) = slot.newer;
  (slot.newer == nullptr ? newest_ : slot.newer->older) = slot.older;
}

void Slots::recycle(Buffer* buffer) noexcept {
  auto* const slot = static_cast<Slot*>(buffer);
  if (slot->home == nullptr) {
    pool::give_back(slot->data, slot->capacity);
  } else {
    slot->home->unlink(*slot);
    slot->home->free_.push_back(slot->number);
  }
  pool::give_back(slot, sizeof(Slot));
}

}  // namespace antiphon::loop
