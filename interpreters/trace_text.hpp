#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <istream>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/trace.hpp"
#include "interpreters/id_set.hpp"

/// The text form of a trace: JSON Lines. A header, then an event a line, its fields in a fixed order:
///
///     {"antiphon":"trace","version":2,"program":"stream","interpreter":"fork","idle_ms":60000,"drain_ms":5000,
///         "max_connections":null,"at":{"host":"127.0.0.1","port":0},"bound":{"host":"127.0.0.1","port":8888},
///         "backlog":4096,"at_most":16384,"workers":1,"part":0}                          (on one line)
///     {"process":0,"event":3,"do":"Accept","listener":0,"answer":1}
///     {"process":0,"event":4,"do":"Fork","at_most":null,"answer":{"parent":4242},"child":1}
///     {"process":1,"event":0,"do":"Fork","at_most":null,"answer":"child"}
///     {"process":1,"event":1,"do":"Recv","from":1,"at_most":16384,
///         "until":{"wait_ms":60000,"drain_ms":5000},"answer":{"text":"hello\n"}}       (on one line)
///     {"process":1,"event":2,"do":"Close","socket":1,"error":"EIO"}
///     {"process":1,"event":3,"end":"ok"}
///
/// `null` is a number without a limit. Bytes are `text` when all of them are printable ASCII or one of \n, \r, \t,
/// else `hex`. An answer without content is "ok". An instruction that was never answered has `"pending":true`. In a
/// simulation there are also `{"client":1,"did":"sent","bytes":{"text":"a"}}` and `{"stop":true}`.

namespace antiphon {

inline constexpr std::uint64_t trace_version = 2;
inline constexpr std::uint32_t most_workers = 1024;

/// What a reader must know about the run: the program and what it was made from, and who writes.
struct TraceHeader {
  std::string program;
  std::string interpreter;
  std::int64_t idle_ms = forever_ms;
  std::int64_t drain_ms = 0;
  std::int64_t max_connections = unlimited;
  Endpoint at{"127.0.0.1", 8888};     ///< As the first program was told; port 0 is any.
  Endpoint bound{"127.0.0.1", 8888};  ///< Where it listens, as the other workers' programs were told.
  int backlog = 0;
  std::size_t at_most = 0;    ///< Bytes that a session's Recv asks for.
  std::uint32_t workers = 1;  ///< So many first processes, from 0 on: each runs the program.
  std::uint32_t part = 0;     ///< Of a trace that goes on from file to file.

  static constexpr std::tuple fields{Field{"program", &TraceHeader::program},
                                     Field{"interpreter", &TraceHeader::interpreter},
                                     Field{"idle_ms", &TraceHeader::idle_ms},
                                     Field{"drain_ms", &TraceHeader::drain_ms},
                                     Field{"max_connections", &TraceHeader::max_connections},
                                     Field{"at", &TraceHeader::at},
                                     Field{"bound", &TraceHeader::bound},
                                     Field{"backlog", &TraceHeader::backlog},
                                     Field{"at_most", &TraceHeader::at_most},
                                     Field{"workers", &TraceHeader::workers},
                                     Field{"part", &TraceHeader::part}};
  bool operator==(const TraceHeader&) const = default;
};

/// Each is one line without its end. Equal values have equal text, everywhere.
std::string header_line(const TraceHeader& header);
std::string event_line(const Event& event);

/// An instruction by itself: `{"do":"Close","socket":1}`.
std::string instruction_line(const AnyExchange<Net>& exchange);

/// The same, at the end of `text`, with the line's end.
void append_line(std::string& text, const Event& event);
void append_line(std::string& text, const ProcessEvent& event);

/// What a reader cannot make sense of: the line, from 1, and one sentence without a full stop.
struct BadInput {
  std::size_t line;
  std::string what;

  bool operator==(const BadInput&) const = default;
};

/// Reads a trace line by line, in memory that depends on the processes that live at one time, not on its length.
class TraceReader {
 public:
  explicit TraceReader(std::istream& in) : in_(&in) {}

  /// To be called first, once.
  std::expected<TraceHeader, BadInput> header();

  /// The next event; none at the end. Not to be called after bad input.
  std::expected<std::optional<Event>, BadInput> next();

  /// True once the end was met and was not the end of a line: the writer was cut off. What stood in that line is
  /// lost. If already the header is cut, then `header` is bad input as well.
  [[nodiscard]] bool cut() const { return cut_; }

  /// The line of what was read last, from 1.
  [[nodiscard]] std::size_t line() const { return line_number_; }

 private:
  std::expected<bool, BadInput> read_line();
  [[nodiscard]] BadInput bad(std::string what) const;
  std::optional<std::string> check_order(const ProcessEvent& event);

  std::istream* in_;
  std::string line_;
  std::size_t line_number_ = 0;
  bool cut_ = false;
  std::uint32_t first_processes_ = 1;
  std::unordered_map<ProcessId, std::uint64_t> due_;  ///< The next event's number of each living process.
  IdSet ended_;
};

}  // namespace antiphon
