#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "interpreters/scenario.hpp"

/// What an exploration is asked: in which scope, and how to go about it.

namespace antiphon::verify {

/// A fault that may hit an instruction whenever it is issued.
struct PossibleFault {
  std::uint32_t instruction = 0;  ///< Its place in `faulty_instructions`.
  Errno error = Errno::INTR;
  bool counted = false;  ///< Only so often in one run: see `Adversity::most_counted`.
};

/// A session gives up after twelve failures in a row for want of memory, so there are fewer of them in one run.
inline constexpr std::uint32_t most_memory_faults = 4;

/// What may happen beyond the program, the clients and the network.
struct Adversity {
  std::vector<PossibleFault> faults;
  std::uint32_t most_counted = 0;  ///< Of the faults that count, so many in one run. The others come without end.
  bool resets = false;             ///< Clients may reset their connections.
  bool stops = false;              ///< The operator may ask for a stop, once.
  bool impatience = false;         ///< Deadlines pass at any step, not only when nothing else can happen.

  [[nodiscard]] bool any() const { return !faults.empty() || resets || stops || impatience; }
};

/// What is explored: clients and limits as in the scenario (its schedule, its faults and its stop count for nothing),
/// and what may happen beside them.
struct Scope {
  Scenario scenario{0};
  Adversity adversity;
};

/// The scenario's clients and limits, in free time: what happens in it, and when, is left open.
Scenario left_open(const Scenario& scenario);

/// In which order states are come by: each once, or in walks (verify/walks.hpp).
enum class Order : std::uint8_t { depth_first, breadth_first, random, pct, guided };

inline bool in_walks(Order order) { return order >= Order::random; }

struct Reductions {
  /// Of actors that have nothing to do with each other, one goes first.
  bool partial_order = true;
  /// Clients with the same script connect in turn.
  bool symmetry = true;
};

/// What an exploration is asked for: so many clients that all do the same, and the classes of faults.
struct ScopeRequest {
  std::uint32_t clients = 2;
  std::uint32_t messages = 2;   ///< Of each client.
  bool any_messages = false;    ///< As many as each likes, in place of `messages`.
  std::uint32_t size = 2;       ///< Bytes of a message.
  std::uint32_t capacity = 2;   ///< Bytes that one direction of a connection holds.
  std::uint32_t addresses = 1;  ///< That the clients are at, by turns.
  std::vector<bool> faults{};   ///< Which of `fault_classes` may occur; empty: none.
};

/// The scope, or why there is none. Reads, writes and arrivals are of any length in it.
std::expected<Scope, std::string> scope_of(const ScopeRequest& request);

}  // namespace antiphon::verify
