#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/endpoint.hpp"
#include "core/result.hpp"
#include "interpreters/kernel.hpp"

namespace antiphon {

/// Listening sockets that this process did not open: a service manager or an earlier server did. An interpreter that
/// has them answers OpenSocket with one of them where it is bound to the address; the program does not change, and its
/// Listen sets the backlog anew.
class AdoptedListeners {
 public:
  /// What keeps a descriptor from being adopted, in words, or nothing: it is adopted then, unless its socket was
  /// before.
  std::optional<std::string> add(kernel::Descriptor descriptor);

  /// The addresses that they are bound to, each once, in the order they came in.
  [[nodiscard]] std::vector<Endpoint> addresses() const;
  /// How many are bound to the address.
  [[nodiscard]] std::size_t count_at(const Endpoint& at) const;

  /// A listener that is bound to the address: a descriptor for the caller alone. They are dealt out in turn, so that
  /// several takers share where there are fewer listeners than takers. None: nobody listens there. `blocks`: whether
  /// the taker needs it without O_NONBLOCK. Several threads may call it.
  std::optional<Result<kernel::Descriptor>> take(const Endpoint& at, bool blocks);
  /// Closes what was adopted: from here on the takers alone hold the listeners. Once nobody takes any more.
  void let_go();

 private:
  struct Listener {
    kernel::Descriptor descriptor;
    Endpoint at;
    std::uint64_t cookie;
    std::size_t takers;
  };

  std::mutex mutex_;  ///< Of `takers`.
  std::vector<Listener> listeners_;
};

}  // namespace antiphon
