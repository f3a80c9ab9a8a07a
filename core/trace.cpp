#include "core/trace.hpp"

#include <array>

namespace antiphon {

bool is_birth(const ProcessEvent& event) {
  const auto* const fork = exchange_of<Fork>(event);
  return fork != nullptr && fork->response && *fork->response && std::holds_alternative<Child>(**fork->response);
}

std::string_view name_of(ClientEvent::Kind kind) {
  static constexpr std::array<std::string_view, 13> names{
      "connecting",   "turned_away", "connected",  "refused", "accepted", "sent",           "received",
      "received_end", "met_reset",   "ended_side", "reset",   "closed",   "stopped_reading"};
  return names.at(static_cast<std::size_t>(kind));
}

}  // namespace antiphon
