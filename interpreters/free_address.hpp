#pragma once

#include "core/endpoint.hpp"
#include "core/result.hpp"
#include "core/unit.hpp"

namespace antiphon {

/// Listens there, for a moment. Errors: those of socket(2), bind(2) and listen(2).
Result<Unit> try_to_listen(const Endpoint& at);

/// An address of this host at which nobody listens, with a port that the kernel gives to nobody who does not ask for
/// it. Throws std::runtime_error where there is none to be had.
Endpoint free_address();

}  // namespace antiphon
