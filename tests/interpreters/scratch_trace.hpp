#pragma once

#include <gtest/gtest.h>

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "interpreters/trace_text.hpp"

namespace antiphon {

/// The header that tests begin their traces with.
inline const TraceHeader header{"stream", "fork", 60'000, 5'000};
inline const std::string first_line = header_line(header) + '\n';

/// A test with a folder of its own, and a trace in it.
class ScratchTrace : public testing::Test {
 protected:
  ScratchTrace();
  ~ScratchTrace() override;

  [[nodiscard]] std::string path() const { return folder_ / "t.jsonl"; }
  [[nodiscard]] std::string older_path() const { return path() + ".1"; }
  [[nodiscard]] std::string content() const { return content_of(path()); }
  [[nodiscard]] static std::string content_of(const std::string& path);
  [[nodiscard]] static TraceHeader header_of(const std::string& path);
  /// The events of parts that follow each other; reports what cannot be read, or is cut.
  [[nodiscard]] static std::vector<ProcessEvent> events_of(const std::vector<std::string>& paths);

  std::filesystem::path folder_;
};

}  // namespace antiphon
