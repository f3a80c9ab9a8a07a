#pragma once

#include <optional>

#include "interpreters/both_sinks.hpp"
#include "interpreters/trace_writer.hpp"

namespace antiphon {

/// Who is told what a server does: the trace, a monitor, both or nobody.
template <class Monitor>
struct Told {
  std::optional<TraceWriter> writer;
  std::optional<Monitor> monitor;

  /// Null: nobody. To be asked once both are there that are to be.
  TraceSink* sink() {
    if (!monitor) return writer ? &*writer : nullptr;
    if (!writer) return &*monitor;
    return &both_.emplace(*writer, *monitor);
  }

 private:
  std::optional<BothSinks> both_;
};

}  // namespace antiphon
