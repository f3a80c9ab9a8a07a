#pragma once

#include <string_view>

#include "verify/client_view.hpp"

/// What clients may have met, for tests that say it instead of running them.

namespace antiphon::verify {

/// Connected, with what it sent and what came back.
inline ClientView view(std::string_view sent, std::string_view came) {
  ClientView view;
  view.begun = view.connected = view.over = true;
  view.conversation.receive(sent);
  view.conversation.send(came);
  return view;
}
inline ClientView unconnected(Errno error) {
  ClientView view;
  view.begun = view.over = true;
  view.unconnected = error;
  return view;
}

inline ClientView with_end(ClientView view) {
  view.met_end = true;
  return view;
}
inline ClientView with_reset(ClientView view) {
  view.failure = Errno::CONNRESET;
  return view;
}
inline ClientView stopped(ClientView view) {
  view.stopped = true;
  return view;
}
inline ClientView ended(ClientView view) {
  view.ended_side = true;
  return view;
}

}  // namespace antiphon::verify
