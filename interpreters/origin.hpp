#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

#include "core/result.hpp"
#include "core/unit.hpp"

struct sockaddr_storage;  // NOLINT(readability-identifier-naming): of <sys/socket.h>

/// Which address a client is at, and how many children there are for clients at each: what limits Fork by address.

namespace antiphon {

/// The host of a client: an IPv4 address (one that is mapped into IPv6 too), or the first 64 bits of an IPv6 address,
/// which one household or machine has to itself. Clients whose address can't be had are one origin.
struct Origin {
  enum class Kind : std::uint8_t { gone, ipv4, ipv6 };

  Kind kind = Kind::gone;
  std::uint64_t network = 0;  ///< The first byte of the address is the highest.

  auto operator<=>(const Origin&) const = default;
};

/// Of the address of a socket.
Origin origin_of(const sockaddr_storage& address);
/// Where the other side of a connection is (getpeername(2)).
Origin origin_of(int descriptor);

/// How many there are of each origin. For several threads.
class OriginCounts {
 public:
  /// Counts one more. EAGAIN: there are that many already. ENOMEM: there is no room to count it.
  Result<Unit> admit(const Origin& origin, std::int64_t at_most);
  /// One that was counted is no more.
  void discount(const Origin& origin);
  void clear();
  /// Of how many origins there are any.
  [[nodiscard]] std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::map<Origin, std::int64_t> counts_;
};

}  // namespace antiphon
