#pragma once

#include "core/endpoint.hpp"
#include "verify/probe.hpp"

namespace antiphon::verify {

/// Clients with real sockets, which connect to that address and to no other. Each run is an event loop in a thread of
/// its own. Throws std::system_error where the machine has no thread or descriptor left.
RunClients kernel_clients(const Endpoint& at);

}  // namespace antiphon::verify
