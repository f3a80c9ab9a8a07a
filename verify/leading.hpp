#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "core/trace.hpp"
#include "verify/steered_world.hpp"

namespace antiphon::verify {

/// What a record has yet to come of a connection, for those who must make it happen before it is too late.
struct ToCome {
  /// So many bytes come in at the side, whoever receives them.
  std::function<std::size_t(SteeredWorld::Side)> bytes;
  /// Whether the process is told of a reset there.
  std::function<bool(Socket)> reset;
};

/// Leads the world to where the process can be answered as the exchange has it: clients and the network do what that
/// takes, and no more. Returns the amount that the answer carries, if it carries one.
std::optional<std::size_t> lead(SteeredWorld& world, Index process, const AnyExchange<Net>& exchange,
                                const ToCome& to_come);

}  // namespace antiphon::verify
