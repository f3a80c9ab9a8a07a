#pragma once

#include <string>
#include <vector>

#include "tests/verify/explored.hpp"
#include "verify/comparison.hpp"

/// Comparisons in small scopes, and what small servers are made of.

namespace antiphon::verify {

inline const Asked one_client{.clients = 1, .messages = 2};

inline Comparison compared(const Server& a, const Server& b, const Asked& asked = one_client, bool in_turn = true) {
  CompareOptions options;
  options.symmetry = in_turn;
  return compare(a, b, scope(asked), options);
}

using Words = std::vector<std::string>;

inline std::string joined(const Words& words) {
  std::string text;
  for (const std::string& one : words) text += (text.empty() ? "" : ", ") + one;
  return text;
}

inline Program<Net, Socket> listening() {
  return OpenSocket{{"127.0.0.1", 8888}} >> [](const Result<Socket>& listener) {
    return Listen{*listener, 8} >> [=](const Result<Endpoint>&) { return ret(*listener); };
  };
}

/// The next client; an interrupt is no reason to give up.
inline Program<Net, Socket> next_client(Socket listener) {
  using Turn = Step<Unit, Socket>;
  return iter(Unit{}, [=](const Unit&) {
    return Accept{listener} >>
           [](const Result<Socket>& client) { return ret(client ? Turn{Break{*client}} : Turn{Continue{Unit{}}}); };
  });
}

}  // namespace antiphon::verify
