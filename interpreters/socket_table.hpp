#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "core/instructions.hpp"

namespace antiphon {

/// The names of a process's sockets and what they stand for. The place in the table is the name. A session has two
/// sockets at most, and so the first two need no memory of their own.
template <class T, T None>
class SocketTable {
 public:
  SocketTable() = default;
  SocketTable(const SocketTable& other)
      : first_(other.first_), more_(other.more_ ? std::make_unique<std::vector<T>>(*other.more_) : nullptr) {}
  SocketTable(SocketTable&&) noexcept = default;
  SocketTable& operator=(SocketTable other) noexcept {
    first_ = other.first_;
    more_ = std::move(other.more_);
    return *this;
  }
  ~SocketTable() = default;

  /// Gives it the lowest free name.
  Socket add(T what) {
    for (std::size_t place = 0;; ++place) {
      T* const found = find(place);
      if (found != nullptr && *found != None) continue;
      if (found == nullptr) {
        if (!more_) more_ = std::make_unique<std::vector<T>>();
        more_->push_back(what);
      } else {
        *found = what;
      }
      return Socket{static_cast<int>(place)};
    }
  }

  /// What the name stands for, or `None`.
  [[nodiscard]] T at(Socket socket) const {
    const T* const found = socket.number < 0 ? nullptr : find(static_cast<std::size_t>(socket.number));
    return found == nullptr ? None : *found;
  }

  /// Frees the name and answers what it stood for.
  T remove(Socket socket) {
    const T what = at(socket);
    if (what != None) *find(static_cast<std::size_t>(socket.number)) = None;
    return what;
  }

  /// Everything that has a name.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (std::size_t place = 0; const T* const found = find(place); ++place) {
      if (*found != None) visit(*found);
    }
  }

 private:
  static constexpr std::size_t inside = 2;

  [[nodiscard]] const T* find(std::size_t place) const {
    if (place < inside) return &first_[place];
    return more_ && place - inside < more_->size() ? &(*more_)[place - inside] : nullptr;
  }
  T* find(std::size_t place) { return const_cast<T*>(std::as_const(*this).find(place)); }

  std::array<T, inside> first_{None, None};
  std::unique_ptr<std::vector<T>> more_;
};

}  // namespace antiphon
