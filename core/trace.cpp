#include "core/trace.hpp"

#include <array>

namespace antiphon {

std::string_view name_of(ClientEvent::Kind kind) {
  static constexpr std::array<std::string_view, 13> names{
      "connecting",   "turned_away", "connected",  "refused", "accepted", "sent",           "received",
      "received_end", "met_reset",   "ended_side", "reset",   "closed",   "stopped_reading"};
  return names.at(static_cast<std::size_t>(kind));
}

}  // namespace antiphon
