#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "core/handler.hpp"
#include "core/trace.hpp"

namespace antiphon {

/// Where the processes of one run report their events. Each process has its own copy of the sink, as a fork leaves
/// it; the numbers of processes are common to all.
class TraceSink {
 public:
  virtual ~TraceSink() = default;

  /// A number that no process of the run has: for the next one.
  virtual ProcessId next_process() = 0;
  /// The process did not come to be after all: its number may be given to another.
  virtual void give_back(ProcessId process) = 0;

  virtual void write(const ProcessEvent& event) = 0;
  /// Nothing of what was written may be held back any longer.
  virtual void flush() = 0;
};

/// Reports every exchange of another handler to a sink, and changes nothing else.
///
///     Recording recording(handler, sink);
///     recording.finish(run(server, recording));
template <class Handler>
class Recording {
 public:
  /// Refers to both; they outlive it.
  Recording(Handler& handler, TraceSink& sink) : handler_(&handler), sink_(&sink) {}

  template <Instruction I>
    requires Handles<Handler, I>
  typename I::Response operator()(const I& instruction) {
    typename I::Response response = (*handler_)(instruction);
    report(Exchange<I>{instruction, response}, std::nullopt);
    return response;
  }

  Fork::Response operator()(const Fork& instruction)
    requires Handles<Handler, Fork>
  {
    // What the sink still holds would be written by both processes.
    sink_->flush();
    const ProcessId child = sink_->next_process();
    Fork::Response response = (*handler_)(instruction);
    Exchange<Fork> exchange{instruction, response};
    if (!response) {
      sink_->give_back(child);
      report(std::move(exchange), std::nullopt);
    } else if (std::holds_alternative<Parent>(*response)) {
      report(std::move(exchange), child);
    } else {
      process_ = child;
      number_ = 0;
      report(std::move(exchange), std::nullopt);
    }
    return response;
  }

  /// The program of this process ended. Nothing may follow.
  void finish(const Result<Unit>& result) {
    sink_->write(ProcessEvent{process_, number_++, Ended{result}});
    sink_->flush();
  }

 private:
  template <class Any>
  void report(Any exchange, std::optional<ProcessId> child) {
    sink_->write(ProcessEvent{process_, number_++, Issued{std::move(exchange), child}});
  }

  Handler* handler_;
  TraceSink* sink_;
  ProcessId process_ = 0;
  std::uint64_t number_ = 0;
};

}  // namespace antiphon
