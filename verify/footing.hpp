#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "verify/state_space.hpp"

namespace antiphon::verify {

/// What an actor depends on while its own part has a certain value, and what is known by the values of the rest.
struct Footing {
  std::vector<Slot> slots;                       ///< All of them, the actor's own first.
  std::vector<std::uint32_t> kinds;              ///< Where it depends on all parts of a kind.
  std::size_t slots_known = 0;                   ///< How many slots there were when `kinds` were spread over them.
  std::vector<std::unique_ptr<Prospect>> table;  ///< By hash, a power of two of them.
  std::vector<PartId> keys;                      ///< The parts of the table's entries, in the order of `slots`.
  std::size_t used = 0;
  std::vector<std::unique_ptr<Prospect>> retired;

  [[nodiscard]] std::size_t hash(const State& state) const {
    std::uint64_t hash = 0x9E3779B97F4A7C15ULL;
    for (const Slot slot : slots) hash = (hash ^ state.parts[slot]) * 0xD6E8FEB86659FD93ULL;
    return static_cast<std::size_t>(hash ^ (hash >> 32U));
  }
  [[nodiscard]] bool is_at(std::size_t place, const State& state) const {
    const PartId* const key = &keys[place * slots.size()];
    for (std::size_t index = 0; index < slots.size(); ++index) {
      if (key[index] != state.parts[slots[index]]) return false;
    }
    return true;
  }
  Prospect* find(const State& state) const {
    if (table.empty()) return nullptr;
    for (std::size_t place = hash(state) & (table.size() - 1);; place = (place + 1) & (table.size() - 1)) {
      if (!table[place]) return nullptr;
      if (is_at(place, state)) return table[place].get();
    }
  }
  Prospect& put(const State& state, std::unique_ptr<Prospect> known) {
    if ((used + 1) * 2 > table.size()) grow();
    ++used;
    std::size_t place = hash(state) & (table.size() - 1);
    while (table[place]) place = (place + 1) & (table.size() - 1);
    for (std::size_t index = 0; index < slots.size(); ++index) {
      keys[place * slots.size() + index] = state.parts[slots[index]];
    }
    table[place] = std::move(known);
    return *table[place];
  }
  void grow() {
    std::vector<std::unique_ptr<Prospect>> old_table(std::max<std::size_t>(4, 2 * table.size()));
    std::vector<PartId> old_keys(old_table.size() * slots.size());
    old_table.swap(table);
    old_keys.swap(keys);
    State state;
    for (std::size_t place = 0; place < old_table.size(); ++place) {
      if (!old_table[place]) continue;
      for (std::size_t index = 0; index < slots.size(); ++index) {
        state.parts[slots[index]] = old_keys[place * slots.size() + index];
      }
      std::size_t to = hash(state) & (table.size() - 1);
      while (table[to]) to = (to + 1) & (table.size() - 1);
      std::copy_n(old_keys.begin() + static_cast<std::ptrdiff_t>(place * slots.size()), slots.size(),
                  keys.begin() + static_cast<std::ptrdiff_t>(to * slots.size()));
      table[to] = std::move(old_table[place]);
    }
  }
  /// It depends on more than was known: what was kept may not tell enough apart. (Somebody may hold it still.)
  void forget() {
    for (auto& known : table) {
      if (known) retired.push_back(std::move(known));
    }
    table.clear();
    keys.clear();
    used = 0;
  }
};

}  // namespace antiphon::verify
