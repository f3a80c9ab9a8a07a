#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/trace.hpp"

namespace antiphon::verify {

/// The error that an exchange was answered with, if it was.
std::optional<Errno> error_of(const AnyExchange<Net>& exchange);
bool is_answered(const AnyExchange<Net>& exchange);

/// What is yet to come of a connection.
struct ToCome {
  std::size_t bytes = 0;  ///< So many are received.
  bool reset = false;     ///< Somebody is told of a reset.

  void add(const ToCome& other) {
    bytes += other.bytes;
    reset |= other.reset;
  }
};

/// A record of processes, sorted out. The events that it was made from must live as long.
class RecordedRun {
 public:
  /// In the order of the record; each process's are numbered from 0 without a gap.
  explicit RecordedRun(const std::vector<ProcessEvent>& record);

  struct Line {
    const ProcessEvent* event;
    std::size_t position;  ///< In the record.
  };
  using Lines = std::vector<Line>;

  [[nodiscard]] const std::vector<ProcessEvent>& record() const { return *record_; }
  /// The events of a process: line n is event n. It may have none.
  [[nodiscard]] const Lines& of(ProcessId process) const;

  /// So many clients were accepted.
  [[nodiscard]] std::uint32_t accepted() const { return accepted_; }
  /// At so many addresses its clients have to be: where they are counted by address each has its own, since a record
  /// does not tell who shares one.
  [[nodiscard]] std::uint32_t addresses() const { return counts_addresses_ ? std::max(accepted_, 1U) : 1; }
  /// Whether processes of the server connected too.
  [[nodiscard]] bool has_connects() const { return has_connects_; }
  /// The most bytes that one Recv or Send carried.
  [[nodiscard]] std::size_t largest() const { return largest_; }

  /// What comes by the socket from the event on until the process closes it, to the process and to children that get
  /// it.
  [[nodiscard]] ToCome to_come(ProcessId process, std::uint64_t from, Socket socket) const;

 private:
  template <Instruction I>
  void count(const Exchange<I>& exchange);

  const std::vector<ProcessEvent>* record_;
  std::unordered_map<ProcessId, Lines> lines_;
  std::uint32_t accepted_ = 0;
  bool has_connects_ = false;
  bool counts_addresses_ = false;
  std::size_t largest_ = 0;
};

}  // namespace antiphon::verify
