#pragma once

#include <cstdint>
#include <string>

#include "core/fields.hpp"

namespace antiphon {

/// A numeric address ("127.0.0.1", "::1") and a port. Port 0 asks for any free one.
struct Endpoint {
  std::string host;
  std::uint16_t port;

  static constexpr std::tuple fields{Field{"host", &Endpoint::host}, Field{"port", &Endpoint::port}};
  bool operator==(const Endpoint&) const = default;
};

/// "127.0.0.1:8888", "[::1]:8888".
inline std::string text_of(const Endpoint& endpoint) {
  const bool ipv6 = endpoint.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

}  // namespace antiphon
