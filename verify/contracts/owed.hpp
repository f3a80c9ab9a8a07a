#pragma once

#include <deque>
#include <string>

#include "core/digest.hpp"
#include "verify/contract.hpp"

namespace antiphon::verify {

/// What a connection was sent and has not been answered yet.
struct Owed {
  static constexpr About about = About::record;

  std::deque<Bytes> parts;
  std::size_t bytes = 0;
  bool heard = false;  ///< A message was received.

  /// However it was cut.
  void identify(Digest& digest) const {
    digest.add_text(text());
    digest.add_word(heard ? 1 : 0);
  }

  void add(const Bytes& received) {
    parts.push_back(received);
    bytes += received.size();
    heard = true;
  }
  void pay(std::size_t count) {
    bytes -= count;
    while (count > 0) {
      const std::size_t part = parts.front().size();
      if (part > count) {
        parts.front() = parts.front().drop(count);
        return;
      }
      parts.pop_front();
      count -= part;
    }
  }
  /// Whether `offered` is what is owed next.
  [[nodiscard]] bool begins_with(const Bytes& offered) const {
    if (offered.size() > bytes) return false;
    std::string_view rest = offered.content();
    for (const Bytes& part : parts) {
      const std::string_view next = part.content().substr(0, rest.size());
      if (!rest.starts_with(next)) return false;
      rest.remove_prefix(next.size());
      if (rest.empty()) break;
    }
    return true;
  }
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const Bytes& part : parts) all += part.content();
    return all;
  }
};

using Owing = Parts<Owed>;  ///< By connection.

/// How much of what arrives has to be answered.
enum class Answers : std::uint8_t {
  everything,    ///< An echo of the whole stream.
  first_message  ///< What the first Recv carried.
};

}  // namespace antiphon::verify
