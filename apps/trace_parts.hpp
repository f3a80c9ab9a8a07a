#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "interpreters/trace_reader.hpp"

namespace antiphon {

/// A line of a trace.
struct TracePlace {
  std::string path;
  std::size_t line;
};

/// A recorded run, in files that are consecutive parts of it. Its headers are read when it is opened, so that what does
/// not belong together is told before anything else; its events once, in the order of the parts.
class TraceParts {
 public:
  /// Error: one line that says what is wrong with which file.
  static std::expected<TraceParts, std::string> open(const std::vector<std::string>& paths);

  /// Of the first part; none if that is cut off in its header.
  [[nodiscard]] const TraceHeader* header() const { return parts_.empty() ? nullptr : &parts_.front().header; }
  /// The last file is cut in its header: how. Its events are missing.
  [[nodiscard]] const std::optional<std::string>& cut_in_header() const { return cut_in_header_; }

  /// Hands each event to `see` with its place. True: the record is cut. Error: as of `open`.
  std::expected<bool, std::string> read(const std::function<void(const Event&, const TracePlace&)>& see);

 private:
  /// A file whose header was read.
  struct Part {
    std::string path;
    std::unique_ptr<std::istream> file;
    TraceReader reader;
    TraceHeader header;
  };

  static std::optional<std::string> misplaced(const Part& before, const Part& part);

  std::vector<Part> parts_;
  std::optional<std::string> cut_in_header_;
};

}  // namespace antiphon
