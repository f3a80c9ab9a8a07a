#include "interpreters/scenario.hpp"

#include <algorithm>
#include <array>

namespace antiphon {

namespace {

struct Say {
  std::string operator()(const script::Connect&) const { return "connect"; }
  std::string operator()(const script::Send& action) const { return "send " + std::to_string(action.count); }
  std::string operator()(const script::Await& action) const { return "await " + std::to_string(action.count); }
  std::string operator()(const script::EndSide&) const { return "end side"; }
  std::string operator()(const script::Reset&) const { return "reset"; }
  std::string operator()(const script::Pause& action) const {
    return "pause " + std::to_string(action.wait_ms) + " ms";
  }
  std::string operator()(const script::StopReading&) const { return "stop reading"; }
  std::string operator()(const script::SendAny& action) const {
    return "send " + std::to_string(action.count) + " any number of times";
  }
};

constexpr std::array<std::string_view, 4> alphabets{"abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                                                    "0123456789", "!#$%&()*+,-./:;<=>?@[]^_{|}~"};

}  // namespace

std::uint32_t address_of(const Scenario& scenario, std::uint32_t client) {
  return client % std::max(scenario.addresses, 1U);
}

std::string host_of(std::uint32_t address) {
  constexpr std::uint32_t hosts = 254;  // of the 256 of a last byte
  return "127.0." + std::to_string(address / hosts) + "." + std::to_string(1 + address % hosts);
}

std::string describe(const Scenario& scenario) {
  std::string text;
  for (std::size_t index = 0; index < scenario.clients.size(); ++index) {
    text += "client " + std::to_string(index + 1) + ": ";
    bool first = true;
    for (const script::Action& action : scenario.clients[index]) {
      if (!first) text += ", ";
      first = false;
      text += std::visit(Say{}, action);
    }
    text += '\n';
  }
  for (const Fault& fault : scenario.faults) {
    text += "fault: " + std::string(fault.name()) + " number " + std::to_string(fault.nth + 1) + " answers " +
            name_of(fault.error) + '\n';
  }
  if (scenario.addresses > 1)
    text += "the clients are at " + std::to_string(scenario.addresses) + " addresses, by turns\n";
  if (scenario.stop_after) text += "the server is stopped after " + std::to_string(*scenario.stop_after) + " steps\n";
  if (scenario.free_time) text += "time is free: whoever may wait no longer may do so at any step\n";
  if (scenario.short_io) text += "reads and writes may be short\n";
  return text;
}

char payload_byte(std::uint32_t client, std::uint64_t position) {
  const std::string_view alphabet = alphabets[client % alphabets.size()];
  std::uint64_t mixed = position * 0x9E3779B97F4A7C15ULL + client * 0xC2B2AE3D27D4EB4FULL;
  mixed = (mixed ^ (mixed >> 32U)) * 0xD6E8FEB86659FD93ULL;
  return alphabet[(mixed >> 40U) % alphabet.size()];
}

std::string payload(std::uint32_t client, std::uint64_t from, std::size_t count) {
  std::string text(count, '\0');
  for (char& byte : text) byte = payload_byte(client, from++);
  return text;
}

char cyclic_byte(std::uint32_t client, std::uint64_t position) {
  return alphabets[client % alphabets.size()][position % script::any_period];
}

}  // namespace antiphon
