#pragma once

#include <functional>

#include "interpreters/recording.hpp"
#include "verify/judge.hpp"

namespace antiphon::verify {

/// The sink that judges a run while it goes on, in the thread that runs it. Its memory depends on the open connections
/// and on what is owed to them. It keeps the bytes that are owed where they were received, and no others.
class Monitor final : public TraceSink {
 public:
  /// `alarm` is called at the first violation of each clause, before the run goes on. `when_blind` is called when there
  /// is no memory to judge with: it sees no more from there on, the run goes on, and the verdict is incomplete.
  Monitor(const Expectations& expectations, std::function<void(const Violation&)> alarm,
          std::function<void()> when_blind = {});

  /// Of the loops each numbers its processes itself; this is for whoever asks.
  ProcessId next_process() override { return ++last_; }
  void give_back(ProcessId process) override;
  void write(const ProcessEvent& event) override;
  void flush() override {}
  /// Whoever brings it events has no memory for the next one.
  void go_blind();

  /// The verdict, once there is nothing more to see: in the same thread, since bytes belong to one. What is wrong at
  /// the end alone sets off the alarm too.
  Verdict finish(bool cut = false);

 private:
  void raise_alarm(const std::vector<Violation>& violations);

  Judge judge_;
  std::function<void(const Violation&)> alarm_;
  std::function<void()> when_blind_;
  bool is_blind_ = false;
  std::size_t told_ = 0;
  ProcessId last_ = 0;
};

}  // namespace antiphon::verify
