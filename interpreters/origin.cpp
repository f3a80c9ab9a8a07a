#include "interpreters/origin.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <iterator>
#include <new>

namespace antiphon {

namespace {

/// Up to eight bytes, the first of them the highest.
std::uint64_t number_of(const std::uint8_t* bytes, std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t at = 0; at < count; ++at) number = (number << 8U) | bytes[at];
  return number;
}

Origin origin_of(const in6_addr& address) {
  constexpr std::size_t network_bytes = 8;
  constexpr std::size_t ipv4_at = 12;
  const std::uint8_t* const bytes = std::begin(address.s6_addr);
  if (IN6_IS_ADDR_V4MAPPED(&address)) return {Origin::Kind::ipv4, number_of(bytes + ipv4_at, 4)};
  return {Origin::Kind::ipv6, number_of(bytes, network_bytes)};
}

}  // namespace

Origin origin_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET6) return origin_of(reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
  if (address.ss_family != AF_INET) return {};
  return {Origin::Kind::ipv4, ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr)};
}

Origin origin_of(int descriptor) {
  sockaddr_storage peer{};
  socklen_t size = sizeof(peer);
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) < 0) return {};
  return origin_of(peer);
}

Result<Unit> OriginCounts::admit(const Origin& origin, std::int64_t at_most) {
  if (at_most <= 0) return failed(Errno::AGAIN);
  const std::lock_guard lock(mutex_);
  try {
    std::int64_t& count = counts_[origin];
    if (count >= at_most) return failed(Errno::AGAIN);
    ++count;
    return Unit{};
  } catch (const std::bad_alloc&) {
    return failed(Errno::NOMEM);
  }
}

void OriginCounts::discount(const Origin& origin) {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(origin);
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

void OriginCounts::clear() {
  const std::lock_guard lock(mutex_);
  counts_.clear();
}

std::size_t OriginCounts::size() const {
  const std::lock_guard lock(mutex_);
  return counts_.size();
}

}  // namespace antiphon
