#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "core/result.hpp"
#include "interpreters/exchange_observer.hpp"

/// The counters of a server, in memory that it shares with the process that shows them. Who counts adds to a word.

namespace antiphon {

using Count = std::atomic<std::uint64_t>;
static_assert(Count::is_always_lock_free, "only a lock-free atomic works between processes");

/// How many fell into which class. The classes end at powers of two of a nanosecond: at 2^First, at twice as much, and
/// so on up to 2^Last; what is longer is in one more.
template <unsigned First, unsigned Last>
struct Histogram {
  static constexpr unsigned first_exponent = First;
  static constexpr std::size_t bounded_classes = Last - First + 1;

  std::array<Count, bounded_classes + 1> classes;
  Count sum_ns;

  static constexpr std::size_t class_of(std::uint64_t ns) {
    const unsigned exponent = ns <= 1 ? 0 : static_cast<unsigned>(std::bit_width(ns - 1));
    return std::clamp(exponent, First, Last + 1) - First;
  }
};

using EchoLatency = Histogram<10, 34>;         ///< 1.024 us to 17 s
using ConnectionDuration = Histogram<20, 43>;  ///< 1.05 ms to 2.4 hours

inline constexpr std::size_t instruction_kinds = std::variant_size_v<ExchangeView>;

namespace detail {
template <class I, class... Is>
constexpr std::size_t place_among(Effects<Is...>) {
  std::size_t place = 0;
  [[maybe_unused]] const bool found = ((std::same_as<I, Is> || (++place, false)) || ...);
  return place;
}
}  // namespace detail

/// The place of an instruction in Net, which is the index of its ExchangeView.
template <Instruction I>
inline constexpr std::size_t instruction_kind = detail::place_among<I>(Net{});

/// What an instruction answers, as a number: 0 for a success, an errno of Linux, and three more.
inline constexpr std::size_t highest_errno = 133;
inline constexpr std::size_t result_kinds = highest_errno + 4;
std::size_t result_kind(Errno error);
/// "ok", "ECONNRESET", "Expired", "Stopping", "other"
std::string result_name(std::size_t kind);

/// What one thread counts, or all processes of a server that forks. It begins with what is counted most, all in one
/// page: where many processes take turns, each page that they touch costs.
struct alignas(64) MetricsSlot {
  Count received_bytes;
  Count sent_bytes;
  EchoLatency latency;
  std::array<std::array<Count, instruction_kinds>, result_kinds> instructions;  ///< By result, success first.
  Count accepted;
  Count refused;           ///< Closed unserved, since Fork had failed.
  Count ended;             ///< All others that are closed.
  Count failed_processes;  ///< Ended by an error of their own.
  Count failed_children;   ///< The same, and killed. Only where processes are the operating system's.
  ConnectionDuration duration;
  std::array<Count, 64> violations;  ///< By the clause's place among all clauses.
  std::atomic<bool> unjudged;        ///< The monitor does not see all.

  /// The monitor found that clause violated. Any thread or process may call it.
  void note_violation(std::string_view clause);
};

/// A slot for each thread that counts, in pages that a process shares with all that it forks.
class MetricsBoard {
 public:
  /// All is 0. Throws std::bad_alloc.
  explicit MetricsBoard(std::size_t slots);
  ~MetricsBoard();
  MetricsBoard(const MetricsBoard&) = delete;
  MetricsBoard& operator=(const MetricsBoard&) = delete;

  [[nodiscard]] MetricsSlot& slot(std::size_t number) const { return slots_[number]; }
  [[nodiscard]] std::span<const MetricsSlot> slots() const { return slots_; }

 private:
  std::span<MetricsSlot> slots_;
};

}  // namespace antiphon
