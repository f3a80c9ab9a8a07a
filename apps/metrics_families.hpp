#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/metrics_board.hpp"

namespace prometheus {
struct MetricFamily;
}

namespace antiphon {

/// What does not change while a server runs.
struct ServerFacts {
  std::string program;
  std::string interpreter;
  std::size_t workers = 1;
  bool monitored = false;
  std::int64_t started_s = 0;  ///< Seconds since 1970.
};

/// What the board shows, added up over its slots, as Prometheus wants it. apps/README.md has the table.
std::vector<prometheus::MetricFamily> families_of(const MetricsBoard& board, const ServerFacts& facts);

}  // namespace antiphon
