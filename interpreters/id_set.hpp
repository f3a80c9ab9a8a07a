#pragma once

#include <cstdint>
#include <iterator>
#include <map>

namespace antiphon {

/// A set of numbers, kept as intervals: its size is that of its gaps.
class IdSet {
 public:
  [[nodiscard]] bool contains(std::uint64_t id) const {
    const auto above = last_of_.upper_bound(id);
    return above != last_of_.begin() && std::prev(above)->second >= id;
  }

  /// `id` is not in the set yet.
  void insert(std::uint64_t id) {
    const auto above = last_of_.upper_bound(id);
    std::uint64_t last = id;
    if (above != last_of_.end() && above->first - 1 == id) last = above->second;
    const bool joins_below = above != last_of_.begin() && std::prev(above)->second + 1 == id;
    if (joins_below) {
      std::prev(above)->second = last;
    } else {
      last_of_.emplace_hint(above, id, last);
    }
    if (last != id) last_of_.erase(above);
  }

  [[nodiscard]] std::size_t intervals() const { return last_of_.size(); }

 private:
  std::map<std::uint64_t, std::uint64_t> last_of_;  ///< The first number of an interval and the last.
};

}  // namespace antiphon
