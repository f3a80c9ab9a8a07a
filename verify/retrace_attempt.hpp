#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/programs/server.hpp"
#include "core/trace.hpp"
#include "verify/leading.hpp"
#include "verify/recorded_run.hpp"
#include "verify/retrace.hpp"
#include "verify/steered_world.hpp"

namespace antiphon::verify {

/// How it goes with what is not in the record.
struct Manner {
  /// The operator's stop comes only when nobody can go on without it. So do clients where a program connects too: whose
  /// connection is accepted is not in the record. Otherwise both come where the record first needs them.
  bool late = false;
  std::uint32_t capacity = most_retraced_bytes;  ///< Bytes that one direction of a connection holds.
};

/// One attempt to lead a simulated world along a recorded run.
class Attempt {
 public:
  /// `run` must live as long.
  Attempt(const Server& server, const RecordedRun& run, const Manner& manner);
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  ~Attempt() = default;

  /// As far as it goes.
  void go();

  [[nodiscard]] bool is_whole() const { return stuck_.empty(); }
  /// So many events happened as they were recorded.
  [[nodiscard]] std::uint64_t events() const { return events_; }
  [[nodiscard]] const SteeredWorld& world() const { return world_; }
  /// A Send was recorded that found no room, but the buffers are too large for that: a size that may do.
  [[nodiscard]] std::optional<std::uint32_t> narrower() const { return narrower_; }
  /// Whether it parts where the simulated network refuses a client that shares its address with others, which a record
  /// does not tell. Known once `parting` was asked for.
  [[nodiscard]] bool hangs_on_addresses() const { return hangs_on_addresses_; }
  /// Where it is not whole: the first event of the record that cannot happen.
  SimulatorParting parting();

 private:
  /// How far a process is.
  struct Follower {
    const RecordedRun::Lines* lines = nullptr;
    Index index = 0;                          ///< In the world.
    std::uint64_t next = 0;                   ///< The event that is due.
    std::optional<AnyExchange<Net>> birth{};  ///< What Fork answered to it, until the record has it.
    std::optional<Result<Unit>> ended{};
  };

  bool advance(ProcessId process);
  void advance_others();
  bool help_out();
  void see(Follower& follower, const ProcessEvent& event);

  bool step(ProcessId process, Follower& follower);
  bool has_ended(const Follower& follower, const Result<Unit>& recorded);
  [[nodiscard]] bool waits_for_help(const Follower& follower, const AnyExchange<Net>& exchange) const;
  bool happens(ProcessId process, Follower& follower, const Issued& recorded, bool as_fault);
  std::optional<std::size_t> prepare(ProcessId process, const Follower& follower, const AnyExchange<Net>& exchange);
  [[nodiscard]] std::optional<Move> move_of(const Follower& follower, const AnyExchange<Net>& exchange) const;
  bool comes_out(Follower& follower, const Issued& recorded);
  void note_room(const Follower& follower, const AnyExchange<Net>& exchange);
  [[nodiscard]] ToCome to_come(SteeredWorld::Side side, std::optional<ProcessId> without) const;
  bool parts(const AnyExchange<Net>& recorded, const std::string& otherwise);

  const RecordedRun& run_;
  Manner manner_;
  SteeredWorld world_;
  std::unordered_map<ProcessId, Follower> followers_;
  std::unordered_map<ProcessId, std::uint64_t> released_;  ///< So many of its events the record has so far.
  std::map<std::size_t, ProcessId> stuck_;                 ///< Whose next event cannot happen yet, by its position.
  std::uint64_t events_ = 0;
  std::optional<std::uint32_t> narrower_;
  bool lets_clients_in_ = false;
  bool lets_stop_ = false;
  bool is_explaining_ = false;
  bool hangs_on_addresses_ = false;
  std::string why_;
};

}  // namespace antiphon::verify
