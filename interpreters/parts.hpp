#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/digest.hpp"
#include "core/pool.hpp"

/// State in parts: values at numbers, shared between copies until one is written, and with a note of who looked at
/// what. A step that touches three parts of a large state costs three parts, and an explorer learns from the notes what
/// the step depended on.

namespace antiphon {

/// What the parts of a kind are about, and so what their keys number. An explorer asks: who can reach them?
enum class About : std::uint8_t {
  time,        ///< One part, which everybody reads and only the operator changes.
  door,        ///< Listeners, and whatever acceptors and clients meet at.
  connection,  ///< What is under way on a connection.
  names,       ///< How many names processes have for a connection.
  record,      ///< What is remembered of a connection, by those who hold it.
  client,
  acceptance,  ///< Whether a client was accepted.
  process,
  kinship,  ///< Who waits for whose end.
  faults,   ///< How many more faults there may be.
};

/// The number of a part within its kind: of a process, a connection, a client.
using PartKey = std::uint64_t;

/// All parts of a kind, where a look went through all of them.
inline constexpr PartKey all_parts = ~PartKey{0};

/// The parts that were looked at, and those that were written, each once.
class Footprint {
 public:
  struct Place {
    std::uint32_t kind;
    PartKey key;

    bool operator==(const Place&) const = default;
  };

  void read(Place place) { note(reads_, place); }
  /// What is written depends on what it was.
  void write(Place place) {
    note(reads_, place);
    note(writes_, place);
  }
  void clear() {
    reads_.clear();
    writes_.clear();
  }
  void forget_writes() { writes_.clear(); }

  [[nodiscard]] const std::vector<Place>& reads() const { return reads_; }
  [[nodiscard]] const std::vector<Place>& writes() const { return writes_; }

 private:
  static void note(std::vector<Place>& places, Place place) {
    if (std::ranges::find(places, place) == places.end()) places.push_back(place);
  }

  std::vector<Place> reads_;
  std::vector<Place> writes_;
};

/// A counted pointer to a value that nobody changes while others hold it. For one thread.
template <class T>
class SharedValue {
 public:
  SharedValue() = default;
  explicit SharedValue(T value) : held_(new(pool::take(sizeof(Held))) Held{1, std::move(value)}) {}
  SharedValue(const SharedValue& other) noexcept : held_(other.held_) {
    if (held_ != nullptr) ++held_->references;
  }
  SharedValue(SharedValue&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  SharedValue& operator=(SharedValue other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }
  ~SharedValue() {
    if (held_ == nullptr || --held_->references > 0) return;
    held_->~Held();
    pool::give_back(held_, sizeof(Held));
  }

  explicit operator bool() const { return held_ != nullptr; }
  const T& operator*() const { return held_->value; }
  const T* operator->() const { return &held_->value; }
  /// The value, for writing: the holder's own from now on.
  T& own() {
    if (held_->references > 1) *this = SharedValue(held_->value);
    return held_->value;
  }

 private:
  struct Held {
    std::uint32_t references;
    T value;
  };
  Held* held_ = nullptr;
};

/// What a part is: two that mix in the same have the same future.
template <class T>
void identify(Digest& digest, const T& part) {
  if constexpr (requires { part.identify(digest); }) {
    part.identify(digest);
  } else {
    add(digest, part);
  }
}

/// The parts of one kind, in the order of their keys.
template <class T>
class Parts {
 public:
  using Value = T;
  static constexpr About about = T::about;

  /// From now on every look and write is noted as one of `kind`. Null: no longer.
  void watch(Footprint* footprint, std::uint32_t kind) {
    footprint_ = footprint;
    kind_ = kind;
  }

  /// Null if there is none.
  [[nodiscard]] const T* find(PartKey key) const {
    looked(key);
    const auto place = place_of(key);
    return is_at(place, key) ? &*place->value : nullptr;
  }
  [[nodiscard]] bool contains(PartKey key) const { return find(key) != nullptr; }
  /// One that is there.
  [[nodiscard]] const T& operator[](PartKey key) const { return *find(key); }

  /// For writing. A part that is not there begins as a T{}.
  T& edit(PartKey key) {
    wrote(key);
    auto place = place_of(key);
    if (!is_at(place, key)) place = parts_.insert(place, {key, SharedValue<T>(T{})});
    return place->value.own();
  }
  void put(PartKey key, T value) { put(key, SharedValue<T>(std::move(value))); }
  void erase(PartKey key) {
    wrote(key);
    const auto place = place_of(key);
    if (is_at(place, key)) parts_.erase(place);
  }

  /// Calls `visit(key, part)` for all, in order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    looked(all_parts);
    for (const Entry& entry : parts_) visit(entry.key, *entry.value);
  }
  [[nodiscard]] std::size_t size() const {
    looked(all_parts);
    return parts_.size();
  }

  /// The part as it is held, and back again: none stands for a part that is not there.
  [[nodiscard]] SharedValue<T> share(PartKey key) const {
    const auto place = place_of(key);
    return is_at(place, key) ? place->value : SharedValue<T>();
  }
  void put(PartKey key, SharedValue<T> value) {
    if (!value) return erase(key);
    wrote(key);
    const auto place = place_of(key);
    if (is_at(place, key)) {
      place->value = std::move(value);
    } else {
      parts_.insert(place, {key, std::move(value)});
    }
  }

 private:
  struct Entry {
    PartKey key;
    SharedValue<T> value;
  };

  void looked(PartKey key) const {
    if (footprint_ != nullptr) footprint_->read({kind_, key});
  }
  void wrote(PartKey key) const {
    if (footprint_ != nullptr) footprint_->write({kind_, key});
  }
  [[nodiscard]] auto place_of(PartKey key) const { return find_in(parts_, key); }
  [[nodiscard]] auto place_of(PartKey key) { return find_in(parts_, key); }
  static auto find_in(auto& parts, PartKey key) {
    if (parts.empty() || key < parts.front().key) return parts.begin();
    // Mostly all keys from the first on are there; it is not behind where it would be then.
    const auto place = static_cast<std::size_t>(std::min<PartKey>(key - parts.front().key, parts.size()));
    const auto there = parts.begin() + static_cast<std::ptrdiff_t>(place);
    if (place < parts.size() && there->key == key) return there;
    return std::ranges::lower_bound(parts.begin(), there, key, {}, &Entry::key);
  }
  [[nodiscard]] bool is_at(auto place, PartKey key) const { return place != parts_.end() && place->key == key; }

  std::vector<Entry> parts_;
  Footprint* footprint_ = nullptr;
  std::uint32_t kind_ = 0;
};

}  // namespace antiphon
