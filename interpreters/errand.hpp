#pragma once

#include <functional>

namespace antiphon {

/// What whoever waits for the network sees to beside it: once the descriptor is readable, `run` is called in the
/// waiting thread, between two instructions. It reads what made the descriptor readable, or it is called again.
struct Errand {
  int descriptor = -1;  ///< None: there is no errand.
  std::function<void()> run;
};

}  // namespace antiphon
