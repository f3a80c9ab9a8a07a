#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "core/bytes.hpp"

namespace antiphon::loop {

/// Memory that begins where a page does: the kernel copies 16 KiB there in half the time.
struct FreePages {
  void operator()(std::byte* memory) const { std::free(memory); }
};
using Pages = std::unique_ptr<std::byte[], FreePages>;

/// Throws std::bad_alloc.
Pages allocate_pages(std::size_t size);

class Slots;

/// The buffer behind what was received into a slot. Detached, it has memory of its own, just as large as its content.
struct Slot : Buffer {
  Slots* home;  ///< Null once it is detached.
  Slot* older;
  Slot* newer;
  std::uint32_t number;
  std::uint32_t wake_up;  ///< The wake-up that filled it.
};

/// Memory to receive into: slots of one size. Who holds what was received for longer than two wake-ups is given a copy,
/// so that clients that do not read take no slot away from others.
class Slots {
 public:
  static constexpr std::size_t slot_bytes = 16384;

  explicit Slots(std::uint32_t count);
  /// Slots that are still held are detached; they outlive their home.
  ~Slots();
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  [[nodiscard]] std::byte* memory(std::uint32_t number) const { return memory_.get() + number * slot_bytes; }

  /// The numbers of the slots that nobody holds, the last to come back at the end. Whoever fills one takes it out.
  std::vector<std::uint32_t>& free() { return free_; }

  /// Makes sure that the next `filled` finds memory for what it notes. False: there is none.
  bool make_ready() noexcept;

  /// What was received into a slot that was taken out of `free`. Throws std::bad_alloc and puts it back then, but not
  /// after `make_ready`.
  Bytes filled(std::uint32_t number, std::size_t size);

  /// Gives the longest-held slot memory of its own, which frees the slot. False: nothing is held, or no memory is left.
  bool detach_oldest();
  /// The same for one that may be a slot of ours. False: it still stands in the slot.
  bool detach(const Bytes& bytes);

  /// Begins a wake-up, and detaches what has been held for longer than a message takes.
  void wake_up();

 private:
  static void recycle(Buffer* buffer) noexcept;
  bool detach(Slot& slot) noexcept;
  void unlink(Slot& slot) noexcept;

  Pages memory_;
  std::vector<std::uint32_t> free_;
  Slot* oldest_ = nullptr;
  Slot* newest_ = nullptr;
  std::uint32_t wake_up_ = 0;
  void* spare_ = nullptr;  ///< For the next Slot.
};

}  // namespace antiphon::loop
