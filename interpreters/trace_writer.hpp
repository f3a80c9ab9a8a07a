#pragma once

#include <cstdint>
#include <string>

#include "interpreters/recording.hpp"
#include "interpreters/trace_file.hpp"

namespace antiphon {

/// The sink that writes to a trace's file. Each thread has one of its own, and each process its own copy.
///
/// Of several workers each numbers its processes from 0: in the file, process p of worker w of N is p * N + w, so that
/// no two have one number and the first N are the workers' first.
///
/// Each holds up to 64 KiB back. It writes when that is full, after Accept and Close, before Fork and at a process's
/// end, so that an acceptor that waits for clients owes nothing. What is held back is lost with a process that is
/// killed: in the forking interpreter the latest of one session, in an event loop the latest of one worker's sessions.
/// Neither the end of that process nor what it was doing is in the trace then, and so no verdict is reached.
class TraceWriter final : public TraceSink {
 public:
  /// The file outlives it.
  explicit TraceWriter(TraceFile& file, Payload payload = Payload::full, std::uint32_t worker = 0,
                       std::uint32_t workers = 1)
      : file_(&file), payload_(payload), worker_(worker), workers_(workers) {}
  ~TraceWriter() override { flush(); }
  TraceWriter(const TraceWriter&) = delete;
  TraceWriter& operator=(const TraceWriter&) = delete;

  ProcessId next_process() override { return file_->processes().next(); }
  void give_back(ProcessId process) override { file_->processes().give_back(process); }
  /// Before the file has started all is held back.
  void write(const ProcessEvent& event) override;
  void flush() override;

 private:
  [[nodiscard]] ProcessEvent renamed(const ProcessEvent& event) const;

  TraceFile* file_;
  Payload payload_;
  std::uint32_t worker_;
  std::uint32_t workers_;
  std::string held_back_;
};

/// Events after which a process may wait long, or a client may have seen the end: whoever holds events back does not
/// hold these.
bool is_due_at_once(const ProcessEvent& event);

/// How many bytes of events are held back at most, before one more event.
inline constexpr std::size_t most_held_back = 65'536;

}  // namespace antiphon
