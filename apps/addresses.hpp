#pragma once

#include <string>
#include <vector>

#include "core/endpoint.hpp"

namespace antiphon {

/// The numeric addresses of a host: one at least. A host that does not resolve is refused, in the option's name.
std::vector<std::string> addresses_of(const std::string& option, const std::string& host);

/// A numeric address of this very host: 127.0.0.0/8 or ::1.
bool is_loopback(const std::string& address);

/// "HOST:PORT", "[::1]:8888": the host as it stands, and a port that is not 0. Anything else is refused.
Endpoint host_and_port(const std::string& option, const std::string& text);

}  // namespace antiphon
