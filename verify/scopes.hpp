#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "verify/explorer.hpp"

namespace antiphon::verify {

/// What an exploration is asked for: so many clients that all do the same, and the classes of faults.
struct ScopeRequest {
  std::uint32_t clients = 2;
  std::uint32_t messages = 2;  ///< Of each client.
  bool any_messages = false;   ///< As many as each likes, in place of `messages`.
  std::uint32_t size = 2;      ///< Bytes of a message.
  std::uint32_t capacity = 2;  ///< Bytes that one direction of a connection holds.
  std::vector<bool> faults;    ///< Which of `fault_classes` may occur; empty: none.
};

/// The scope, or why there is none. Reads, writes and arrivals are of any length in it.
std::expected<Scope, std::string> scope_of(const ScopeRequest& request);

}  // namespace antiphon::verify
