#pragma once

#include <expected>
#include <memory>
#include <string>

#include "interpreters/recording.hpp"
#include "interpreters/shared_word.hpp"
#include "interpreters/trace_text.hpp"

namespace antiphon {

/// The sink that appends to a file, one for all processes of a run: every write(2) appends whole lines.
///
/// Each process holds up to 64 KiB back. It writes when that is full, after Accept and Close, before Fork and at its
/// end, so that an acceptor that waits for clients owes nothing. What a session holds back is lost if it is killed.
/// Should a write fail (a full disk), then one of the processes says so on standard error, all stop writing, and
/// serving goes on: the trace is cut.
class TraceFile final : public TraceSink {
 public:
  /// Opens the file or makes it, and leaves its content alone until `start`. Error: one line that names the path and
  /// the reason.
  static std::expected<std::unique_ptr<TraceFile>, std::string> open(const std::string& path);

  /// Flushes. A file that was made here and not started is removed.
  ~TraceFile() override;
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;

  /// Empties the file and begins it with the header. What was reported before is kept and follows.
  void start(const TraceHeader& header);

  ProcessId next_process() override;
  void give_back(ProcessId process) override;
  void write(const ProcessEvent& event) override;
  void flush() override;

 private:
  TraceFile(std::string path, int descriptor, bool made_here)
      : path_(std::move(path)), descriptor_(descriptor), made_here_(made_here) {}

  void give_up(const char* reason);

  std::string path_;
  int descriptor_;
  bool made_here_;
  bool started_ = false;
  std::string held_back_;
  SharedWord processes_;  ///< How many there were, without the first.
  SharedWord given_up_;   ///< Not 0 once a write failed.
};

}  // namespace antiphon
