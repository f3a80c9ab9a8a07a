#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interpreters/scenario.hpp"
#include "verify/judge.hpp"
#include "verify/performance.hpp"

/// What becomes of a server when its instructions fail: every instruction, every errno that its manual page gives it,
/// once, in a burst and for long, while three clients want to be served.

namespace antiphon::verify {

/// How often in a row the instruction fails.
inline constexpr std::array<std::uint32_t, 3> fault_lengths{1, 8, 200};

/// What came of it, the best first. From `hung` on it is bad.
enum class Survival : std::uint8_t {
  served,   ///< All clients got back all that they sent, and then the end.
  refused,  ///< The server let go of some clients, and served the others.
  stopped,  ///< The server ended, and said by what: it cannot serve at all.
  hung,     ///< It did not come to rest.
  broke,    ///< It broke a clause: it died, leaked or lost.
  parted,   ///< On the kernel another thing came of it than in the simulation.
};

struct FaultCell {
  std::string_view instruction;
  Errno error{};
  std::uint32_t length = 0;  ///< One of `fault_lengths`.
  Survival survival{};
  std::uint32_t served = 0;  ///< Of the clients.
  std::string what;          ///< What broke, or where the two part.
  Scenario scenario{0};

  [[nodiscard]] bool is_bad() const { return survival >= Survival::hung; }
};

struct FaultMatrix {
  Ruling ruling = Ruling::incomplete;
  std::uint32_t clients = 0;
  std::vector<FaultCell> cells;             ///< By instruction, error and length.
  std::vector<std::string_view> untouched;  ///< Instructions that the program never issued.
  bool canary_found = false;                ///< A server that dies of a client's reset has a bad cell.
};

struct FaultMatrixOptions {
  std::optional<Stage> stage;  ///< On the kernel too, by `perform`.
  std::vector<std::uint32_t> lengths{fault_lengths.begin(), fault_lengths.end()};
  Expectations expectations;
  /// Called now and then with what is being done.
  std::function<void(const std::string&)> progress = [](const std::string&) {};
};

FaultMatrix fault_matrix(const MakeServer& make, const FaultMatrixOptions& options);

}  // namespace antiphon::verify
