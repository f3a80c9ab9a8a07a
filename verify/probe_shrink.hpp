#pragma once

#include <cstdint>
#include <functional>

#include "verify/clients.hpp"

namespace antiphon::verify {

/// A visit that fails as another did, with fewer clients, fewer actions and fewer bytes.
struct Shrunk {
  Visit visit;
  std::uint32_t runs = 0;  ///< How many visits were tried on the way.
};

/// Shrinks a visit as long as it fails, until `is_over` or for `most_tried_visits`. What is tried waits for a quarter
/// of the visit's patience.
Shrunk shrink_visit(const Visit& visit, const std::function<bool(const Visit&)>& fails,
                    const std::function<bool()>& is_over);

inline constexpr std::uint32_t most_tried_visits = 100;

}  // namespace antiphon::verify
