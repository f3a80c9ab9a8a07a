#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/endpoint.hpp"

namespace antiphon {

/// The numeric addresses of a host: one at least. A host that does not resolve is refused, in the option's name.
std::vector<std::string> addresses_of(const std::string& option, const std::string& host);

/// A numeric address of this very host: 127.0.0.0/8 or ::1.
bool is_loopback(const std::string& address);

/// "HOST:PORT", "[::1]:8888": the host as it stands, and a port from `least_port` on. Anything else is refused.
Endpoint host_and_port(const std::string& option, const std::string& text, std::int64_t least_port = 1);

}  // namespace antiphon
