#pragma once

#include "core/trace.hpp"
#include "interpreters/shared_word.hpp"

namespace antiphon {

/// The numbers of the processes that one process and all its descendants fork: 1, 2, …
class ProcessNumbers {
 public:
  ProcessId next() { return last_->fetch_add(1) + 1; }

  void give_back(ProcessId process) {
    // Another process may have taken the next number since; then this one stays unused.
    std::uint64_t last = process;
    last_->compare_exchange_strong(last, process - 1);
  }

 private:
  SharedWord last_;
};

}  // namespace antiphon
