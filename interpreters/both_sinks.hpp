#pragma once

#include "interpreters/recording.hpp"

namespace antiphon {

/// Tells two sinks what happens, one after the other. The numbers of processes are the first's.
class BothSinks final : public TraceSink {
 public:
  /// Refers to both; they outlive it.
  BothSinks(TraceSink& first, TraceSink& second) : first_(&first), second_(&second) {}

  ProcessId next_process() override { return first_->next_process(); }
  void give_back(ProcessId process) override { first_->give_back(process); }
  void write(const ProcessEvent& event) override {
    first_->write(event);
    second_->write(event);
  }
  void flush() override {
    first_->flush();
    second_->flush();
  }

 private:
  TraceSink* first_;
  TraceSink* second_;
};

}  // namespace antiphon
