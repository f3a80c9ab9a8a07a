#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "core/trace.hpp"

/// The text form of a trace: JSON Lines. A header, then an event a line, its fields in a fixed order:
///
///     {"antiphon":"trace","version":2,"program":"stream","interpreter":"fork","idle_ms":60000,
///         "drain_ms":5000,"max_connections":null,"at":{"host":"127.0.0.1","port":0},
///         "bound":{"host":"127.0.0.1","port":8888},"backlog":4096,"at_most":16384,"workers":1,"run":271828,"part":0}
///         (on one line)
///     {"process":0,"event":3,"do":"Accept","listener":0,"answer":1}
///     {"process":0,"event":4,"do":"Fork","at_most":null,"answer":{"parent":4242},"child":1}
///     {"process":1,"event":0,"do":"Fork","at_most":null,"answer":"child"}
///     {"process":1,"event":1,"do":"Recv","from":1,"at_most":16384,
///         "until":{"wait_ms":60000,"drain_ms":5000},"answer":{"text":"hello\n"}}       (on one line)
///     {"process":1,"event":2,"do":"Close","socket":1,"error":"EIO"}
///     {"process":1,"event":3,"end":"ok"}
///
/// `null` is a number without a limit. Where there is a limit by address or a progress limit the header ends with
/// `"max_per_address":10,"progress_ms":30000`; what is missing there is no limit. Where clients are counted by address
/// a Fork has `"at_most_alike":10,"client":1` behind `at_most`. Bytes are `text` when all of them are printable ASCII
/// or one of \n, \r, \t, else `hex`; or only their digests are there:
/// `{"digest":"4:00…0f,12:00…1b"}`, of stretches one behind the other, each with its size and its CRC
/// (core/stream_digest.hpp). A Send that carried less than it was given is cut there. An answer without content is
/// "ok". An instruction that was never answered has `"pending":true`. In a simulation there are also
/// `{"client":1,"did":"sent","bytes":{"text":"a"}}` and `{"stop":true}`.

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
  std::uint32_t run = 0;      ///< Tells this run from others: all parts of its trace have it.
  std::uint32_t part = 0;     ///< Of a trace that goes on from file to file.
  std::int64_t max_per_address = unlimited;
  std::int64_t progress_ms = forever_ms;

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
                                     Field{"run", &TraceHeader::run},
                                     Field{"part", &TraceHeader::part},
                                     Field{"max_per_address", &TraceHeader::max_per_address},
                                     Field{"progress_ms", &TraceHeader::progress_ms}};
  static constexpr std::size_t tail = std::tuple_size_v<decltype(fields)> - 2;
  [[nodiscard]] bool tail_is_silent() const { return max_per_address == unlimited && progress_ms == forever_ms; }
  bool operator==(const TraceHeader&) const = default;
};

/// Each is one line without its end. Equal values have equal text, everywhere.
std::string header_line(const TraceHeader& header);
std::string event_line(const Event& event);

/// An instruction by itself: `{"do":"Close","socket":1}`.
std::string instruction_line(const AnyExchange<Net>& exchange);

/// What a line holds of messages.
enum class Payload : std::uint8_t { full, digest };
inline constexpr std::string_view payload_names[] = {"full", "digest"};

/// The line of an event at the end of `text`, with the line's end.
void append_line(std::string& text, const Event& event, Payload payload = Payload::full);
void append_line(std::string& text, const ProcessEvent& event, Payload payload = Payload::full);

}  // namespace antiphon
