#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/trace.hpp"
#include "verify/contract.hpp"
#include "verify/contracts/owed.hpp"

namespace antiphon::verify {

/// What an echo server is held to.
struct Expectations {
  Answers answers = Answers::everything;
  std::int64_t idle_ms = forever_ms;         ///< The idle limit; `forever_ms`: none is set.
  std::int64_t drain_ms = 0;                 ///< What is granted after a stop.
  std::int64_t max_connections = 0;          ///< A client may be refused only above that many,
  std::int64_t max_per_address = unlimited;  ///< or above that many at its address.
  std::int64_t at_most = unlimited;          ///< Bytes that one Recv may ask for.
  std::uint32_t workers = 1;                 ///< First processes: each is a server of its own.
  std::int64_t progress_ms = forever_ms;     ///< Within that time what was received is sent; `forever_ms`: no limit.

  [[nodiscard]] Places places() const { return {max_connections, max_per_address}; }
};

enum class Ruling : std::uint8_t { holds, violated, incomplete };

/// An event of a process, as a trace names it.
struct ProcessEventName {
  ProcessId process = 0;
  std::uint64_t event = 0;

  bool operator==(const ProcessEventName&) const = default;
};

/// A clause that was broken, and where.
struct Violation {
  Clause clause;
  Party party;
  std::string sentence;     ///< Who did what, with what the witness held.
  std::uint64_t event = 0;  ///< How many events came before the one that broke it; all of them at the end of the run.
  std::optional<ProcessEventName> at;  ///< That event, if it is of a process.
};

/// What a run contained.
struct Tally {
  std::uint64_t events = 0;
  std::uint64_t processes = 0;
  std::uint64_t connections = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t at_once = 0;  ///< The most connections open at a time.
  std::uint64_t short_sends = 0;
  std::uint64_t full_reads = 0;  ///< Recv that answered all that it asked for.
  std::uint64_t errors = 0;      ///< Failed responses.
  std::uint64_t alarms = 0;      ///< Sends that an alarm ended, before their deadline.
  bool stopped_while_serving = false;
  std::array<std::uint64_t, excuse_kinds> excuses{};
};

struct Verdict {
  Ruling ruling = Ruling::incomplete;
  std::vector<Violation> violations;  ///< The first of each clause, in the order of the events.
  std::vector<std::string> remarks;   ///< Why it is incomplete; of a foreign server also what was excused.
  Tally tally;
};

/// Judges a run as it goes by. Its memory depends on the open connections and the unanswered bytes, not on how long
/// the run is. Events of a process may come before its parent's Fork: they are held back until then.
class Judge {
 public:
  explicit Judge(const Expectations& expectations);
  ~Judge();
  Judge(Judge&&) noexcept;
  Judge& operator=(Judge&&) noexcept;

  void see(const Event& event);
  /// What was found so far: the first of each clause.
  [[nodiscard]] const std::vector<Violation>& violations() const;
  /// The verdict once there is nothing more to see. `cut`: the record may lack its end.
  Verdict finish(bool cut = false);

  /// Of a run that goes on for ever, after each event that comes again: notes what is wrong if it stays so.
  void note_lap();
  /// The verdict on such a run: wrong is what was so at each event of the lap.
  Verdict finish_endless();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Verdict judge(const std::vector<Event>& trace, const Expectations& expectations);

/// Every clause that a server is held to.
std::vector<Clause> all_clauses();
/// The names of those that have nothing to judge, since what they are about is not expected.
std::vector<std::string_view> not_asked(const Expectations& expectations);

std::string_view name_of(Ruling ruling);
std::string_view name_of(Excuse excuse);

}  // namespace antiphon::verify
