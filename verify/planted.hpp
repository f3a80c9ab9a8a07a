#pragma once

#include <string_view>
#include <vector>

#include "core/programs/server.hpp"

namespace antiphon::verify {

/// A server with a known defect, and the clause that it breaks. A check that does not find it is broken itself.
struct Planted {
  std::string_view clause;
  std::string_view defect;
  Server server;
};

/// One for each clause, each the given server with one thing done wrong. The server must be a streaming echo server.
std::vector<Planted> planted_in(const Server& server);

}  // namespace antiphon::verify
