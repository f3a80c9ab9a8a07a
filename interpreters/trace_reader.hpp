#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <istream>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/trace.hpp"
#include "interpreters/bad_input.hpp"
#include "interpreters/id_set.hpp"
#include "interpreters/line_reader.hpp"
#include "interpreters/trace_text.hpp"

namespace antiphon {

/// Reads a trace line by line, in memory that depends on the processes that live at one time, not on its length.
class TraceReader {
 public:
  /// Refers to the stream, which outlives it.
  explicit TraceReader(std::istream& in);

  /// To be called first, once.
  std::expected<TraceHeader, BadInput> header();

  /// Goes on with the next part of the same trace, of which another reader has read the header and no more: its events
  /// follow those that were read.
  void go_on(TraceReader next_part);

  /// The next event; none at the end. Not to be called after bad input.
  std::expected<std::optional<Event>, BadInput> next();

  /// True once the end was met and was not the end of a line: the writer was cut off. What stood in that line is
  /// lost. If already the header is cut, then `header` is bad input as well.
  [[nodiscard]] bool cut() const { return cut_; }

  /// The line of what was read last, from 1.
  [[nodiscard]] std::size_t line() const { return lines_.number(); }

 private:
  [[nodiscard]] BadInput bad(std::string what) const;
  std::optional<std::string> check_order(const ProcessEvent& event);

  LineReader lines_;
  bool cut_ = false;
  std::uint32_t first_processes_ = 1;
  std::unordered_map<ProcessId, std::uint64_t> due_;  ///< The next event's number of each living process.
  IdSet ended_;
};

}  // namespace antiphon
