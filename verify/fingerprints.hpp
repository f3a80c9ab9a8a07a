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
  };
  Place insert(const Fingerprint& fingerprint) {
    if ((size_ + 1) * 4 > table_.size() * 3) grow();
    const std::size_t place = find(table_, fingerprint);
    if (!is_free(table_[place])) return {numbers_[place], false};
    table_[place] = fingerprint;
    numbers_[place] = size_;
    return {size_++, true};
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t bytes() const { return table_.size() * (sizeof(Fingerprint) + sizeof(std::uint32_t)); }
  /// What it takes to hold one more.
  [[nodiscard]] std::size_t bytes_next() const {
    return (size_ + std::size_t{1}) * 4 > table_.size() * 3 ? 3 * bytes() : bytes();
  }

 private:
  static bool is_free(const Fingerprint& place) { return place == Fingerprint{}; }
  static std::size_t find(const std::vector<Fingerprint>& table, const Fingerprint& fingerprint) {
    std::size_t place = fingerprint.low & (table.size() - 1);
    while (!is_free(table[place]) && !(table[place] == fingerprint)) place = (place + 1) & (table.size() - 1);
    return place;
  }
  void grow() {
    std::vector<Fingerprint> larger(2 * table_.size());
    std::vector<std::uint32_t> numbers(larger.size());
    for (std::size_t from = 0; from < table_.size(); ++from) {
      if (is_free(table_[from])) continue;
      const std::size_t to = find(larger, table_[from]);
      larger[to] = table_[from];
      numbers[to] = numbers_[from];
    }
    table_ = std::move(larger);
    numbers_ = std::move(numbers);
  }

  std::vector<Fingerprint> table_ = std::vector<Fingerprint>(1024);
  std::vector<std::uint32_t> numbers_ = std::vector<std::uint32_t>(1024);
  std::uint32_t size_ = 0;
};

}  // namespace antiphon::verify
