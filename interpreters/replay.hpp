#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/process.hpp"
#include "core/programs/server.hpp"
#include "core/trace.hpp"
#include "interpreters/birth_order.hpp"

namespace antiphon {

/// Where a program and a trace part: what the trace has, and what the program would do there (an instruction without
/// its response, or an end).
struct Parting {
  ProcessId process = 0;
  std::uint64_t event = 0;
  std::variant<Issued, Ended> recorded;
  std::variant<Issued, Ended> issued;

  bool operator==(const Parting&) const = default;
};

/// Answers a program from a recorded trace, event by event, and compares each instruction that it issues with the one
/// that was recorded. Its memory is the processes that live at one time.
class Replay {
 public:
  /// The first processes' programs: one, or one a worker.
  explicit Replay(const std::vector<Server>& programs);

  /// After a parting, or a look, nothing more is compared.
  void see(const Event& event);

  /// The first one, in the order of the events.
  [[nodiscard]] const std::optional<Parting>& parting() const { return parting_; }
  /// So many instructions were issued as they were recorded.
  [[nodiscard]] std::uint64_t instructions() const { return instructions_; }
  /// The program looked at a message of which only the digest was recorded: what it does from there on tells nothing.
  [[nodiscard]] bool has_looked() const { return has_looked_; }
  /// Whether each process was seen to its end, or to an instruction that was never answered.
  [[nodiscard]] bool is_whole() const;

 private:
  struct Replayed {
    Process<Net, Result<Unit>> process;
    bool waits = false;  ///< Its last instruction was never answered.
  };

  [[nodiscard]] bool is_over() const { return parting_ || has_looked_; }
  std::optional<ProcessId> take(const ProcessEvent& event);
  void part(const ProcessEvent& event, const Replayed& replayed);

  std::unordered_map<ProcessId, Replayed> living_;
  BirthOrder order_;
  std::optional<Parting> parting_;
  std::uint64_t instructions_ = 0;
  bool has_digests_ = false;  ///< Of a message only the digest was recorded.
  bool has_looked_ = false;
};

}  // namespace antiphon
