#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/trace.hpp"
#include "verify/transition_system.hpp"

/// What shows of a server from outside: what each client does and meets, the operator's stop, the end of the first
/// process with its result, and, where the world is at rest, how many processes live and what they hold in their tables
/// of sockets. Everything else is silent: instructions and their responses, faults, who was forked, under which number,
/// and which process accepted a client.

namespace antiphon::verify {

/// What the processes that live hold when nothing more can happen.
struct Remainder {
  std::size_t processes = 0;
  std::size_t listeners = 0;    ///< Names for them, over all processes.
  std::size_t connections = 0;  ///< The same.
};

/// Gives whatever can be observed a label. Servers that are to be compared share one observer.
class Observer {
 public:
  /// Takes in an event of the step that is made.
  void see(const Event& event);
  /// The label of what was seen since the last call; `silent` if nothing shows.
  Label take();

  /// The label of a world at rest.
  Label at_rest(const Remainder& remainder);

  /// The label in words.
  [[nodiscard]] const std::string& text(Label label) const { return texts_[label]; }

 private:
  Label label_of(const std::string& text);

  std::string seen_;
  std::vector<std::string> texts_{std::string()};
  std::unordered_map<std::string, Label> labels_;
};

}  // namespace antiphon::verify
