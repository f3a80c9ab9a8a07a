#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "core/trace.hpp"
#include "verify/recorded_run.hpp"
#include "verify/steered_world.hpp"

namespace antiphon::verify {

/// What the record has yet to come at a side of a connection, for those who must make it happen before it is too late.
struct Future {
  std::function<ToCome(SteeredWorld::Side)> of_all;
  std::function<ToCome(SteeredWorld::Side)> of_others;  ///< Without the process that is led to its answer.
};

/// Leads the world to where the process can be answered as the exchange has it: clients and the network do what that
/// takes, and no more. Returns the amount that the answer carries, if it carries one.
std::optional<std::size_t> lead(SteeredWorld& world, Index process, const AnyExchange<Net>& exchange,
                                const Future& future);

}  // namespace antiphon::verify
