#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "verify/state_space.hpp"

namespace antiphon::verify {

/// The states that were seen, by fingerprint, numbered as they came.
class Fingerprints {
 public:
  struct Place {
    std::uint32_t number;
    bool is_new;
    bool is_finished = false;
  };
  /// With room for some to begin with: a power of two.
  explicit Fingerprints(std::size_t room = 1024) : table_(room) {}

  Place insert(const Fingerprint& fingerprint) {
    return insert(fingerprint, [this] { return size_; });
  }
  /// The same, with a number of the caller's.
  template <class NextNumber>
  Place insert(const Fingerprint& fingerprint, NextNumber&& next_number) {
    if ((size_ + std::size_t{1}) * 4 > table_.size() * 3) grow();
    Entry& entry = table_[find(table_, fingerprint)];
    if (!entry.is_free()) return {entry.number, false, entry.is_finished};
    entry = {fingerprint, next_number()};
    ++size_;
    return {entry.number, true};
  }
  /// Marks one that is there.
  void finish(const Fingerprint& fingerprint) { table_[find(table_, fingerprint)].is_finished = true; }
  /// The fingerprint will be asked for soon.
  void prefetch(const Fingerprint& fingerprint) const {
    __builtin_prefetch(&table_[fingerprint.low & (table_.size() - 1)]);
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t bytes() const { return table_.size() * sizeof(Entry); }
  /// What it takes to hold some more.
  [[nodiscard]] std::size_t bytes_next() const {
    return (size_ + room_ahead) * 4 > table_.size() * 3 ? 3 * bytes() : bytes();
  }

 private:
  static constexpr std::size_t room_ahead = 1U << 8U;

  struct Entry {
    Fingerprint fingerprint;
    std::uint32_t number = 0;
    bool is_finished = false;

    [[nodiscard]] bool is_free() const { return fingerprint == Fingerprint{}; }
  };
  using Table = std::vector<Entry>;

  static std::size_t find(const Table& table, const Fingerprint& fingerprint) {
    std::size_t place = fingerprint.low & (table.size() - 1);
    while (!table[place].is_free() && !(table[place].fingerprint == fingerprint)) {
      place = (place + 1) & (table.size() - 1);
    }
    return place;
  }
  void grow() {
    Table larger(2 * table_.size());
    for (const Entry& entry : table_) {
      if (!entry.is_free()) larger[find(larger, entry.fingerprint)] = entry;
    }
    table_ = std::move(larger);
  }

  Table table_;
  std::uint32_t size_ = 0;
};

}  // namespace antiphon::verify
