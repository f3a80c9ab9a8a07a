#include "tests/fuzz/scenarios.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "verify/generate.hpp"

namespace antiphon::fuzz {

namespace {

constexpr std::size_t most_choices = 1'000;

/// Takes numbers off the front of bytes; 0 once there are no more.
class Numbers {
 public:
  explicit Numbers(std::string_view bytes) : rest_(bytes) {}

  /// Below `bound`, which is at most 65536.
  std::uint32_t below(std::uint32_t bound) {
    std::uint32_t number = byte();
    if (bound > 256) number = number << 8U | byte();
    return number % bound;
  }
  bool flag() { return below(2) == 1; }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::uint32_t byte() {
    if (rest_.empty()) return 0;
    const auto first = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }

  std::string_view rest_;
};

/// Mostly a few bytes, sometimes more than one Recv of `stream` takes.
std::uint32_t message_size(Numbers& from) {
  static constexpr std::array<std::uint32_t, 4> bounds{6, 200, 3'000, 40'000};
  return 1 + from.below(bounds.at(from.below(bounds.size())));
}

script::Action action(Numbers& from) {
  switch (from.below(8)) {
    case 0:
      return script::Connect{};
    case 1:
      return script::Await{message_size(from)};
    case 2:
      return script::EndSide{};
    case 3:
      return script::Reset{};
    case 4:
      return script::Pause{from.below(60'000)};
    case 5:
      return script::StopReading{};
    default:
      return script::Send{message_size(from)};
  }
}

/// As clients are: they connect first and once, and after their end they send nothing.
Script script(Numbers& from) {
  Script actions;
  if (from.flag()) actions.emplace_back(script::Pause{from.below(100)});
  actions.emplace_back(script::Connect{});
  bool is_open = true;
  for (std::uint32_t count = from.below(8); count > 0; --count) {
    const script::Action next = action(from);
    const bool sends = std::holds_alternative<script::Send>(next) || std::holds_alternative<script::EndSide>(next);
    if (std::holds_alternative<script::Connect>(next) || (sends && !is_open)) continue;
    actions.push_back(next);
    if (std::holds_alternative<script::EndSide>(next)) is_open = false;
    if (std::holds_alternative<script::Reset>(next)) break;
  }
  return actions;
}

}  // namespace

Scenario scenario_from(std::string_view bytes) {
  static const std::vector<bool> all_faults(verify::fault_classes().size(), true);
  Numbers from(bytes);
  const std::uint32_t first = from.below(8);
  Scenario scenario(first % 4);
  scenario.addresses = 1 + first / 4;
  if (from.flag()) scenario.faults = verify::draw({4, all_faults}, from.below(65'536)).faults;
  scenario.short_io = from.flag();
  if (from.flag()) scenario.stop_after = from.below(300);
  if (from.flag()) scenario.capacity = message_size(from);
  if (from.flag()) scenario.max_sockets = 2 + from.below(4);
  if (from.flag()) scenario.max_processes = 1 + from.below(4);
  if (from.flag()) scenario.comes_round = from.below(100);
  scenario.free_time = from.below(8) == 1;
  for (std::uint32_t client = 1 + from.below(4); client > 0; --client) scenario.clients.push_back(script(from));
  for (const char choice : from.rest().substr(0, most_choices)) {
    scenario.choices.push_back(static_cast<unsigned char>(choice));
  }
  return scenario;
}

}  // namespace antiphon::fuzz
