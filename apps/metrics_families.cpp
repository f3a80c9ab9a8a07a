#include "apps/metrics_families.hpp"

#include <prometheus/metric_family.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "apps/version.hpp"
#include "verify/judge.hpp"

namespace antiphon {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr double ns_in_a_second = 1e9;

template <class Word>
std::uint64_t sum(const MetricsBoard& board, Word word) {
  std::uint64_t total = 0;
  // (Acquire: what is read later is not older.)
  for (const MetricsSlot& slot : board.slots()) total += word(slot).load(std::memory_order_acquire);
  return total;
}
std::uint64_t sum(const MetricsBoard& board, Count MetricsSlot::* member) {
  return sum(board, [=](const MetricsSlot& slot) -> const Count& { return slot.*member; });
}

MetricFamily family(std::string name, MetricType type, std::string help) {
  return {std::move(name), std::move(help), type, {}};
}

void add_counter(MetricFamily& family, double value, Labels labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = value;
  family.metric.push_back(std::move(metric));
}
void add_gauge(MetricFamily& family, double value, Labels labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  family.metric.push_back(std::move(metric));
}

MetricFamily counter(std::string name, std::uint64_t value, std::string help) {
  MetricFamily made = family(std::move(name), MetricType::Counter, std::move(help));
  add_counter(made, static_cast<double>(value));
  return made;
}
MetricFamily gauge(std::string name, double value, std::string help, Labels labels = {}) {
  MetricFamily made = family(std::move(name), MetricType::Gauge, std::move(help));
  add_gauge(made, value, std::move(labels));
  return made;
}

template <unsigned First, unsigned Last>
MetricFamily histogram(std::string name, std::string help, const MetricsBoard& board,
                       Histogram<First, Last> MetricsSlot::* member) {
  using Classes = Histogram<First, Last>;
  ClientMetric metric;
  std::uint64_t below = 0;
  for (std::size_t at = 0; at <= Classes::bounded_classes; ++at) {
    below += sum(board, [=](const MetricsSlot& slot) -> const Count& { return (slot.*member).classes[at]; });
    const int exponent = static_cast<int>(First + at);
    const double bound = at < Classes::bounded_classes ? std::ldexp(1, exponent) / ns_in_a_second : INFINITY;
    metric.histogram.bucket.push_back({below, bound});
  }
  metric.histogram.sample_count = below;
  const std::uint64_t ns = sum(board, [=](const MetricsSlot& slot) -> const Count& { return (slot.*member).sum_ns; });
  metric.histogram.sample_sum = static_cast<double>(ns) / ns_in_a_second;
  MetricFamily made = family(std::move(name), MetricType::Histogram, std::move(help));
  made.metric.push_back(std::move(metric));
  return made;
}

/// Those that were seen, and all successes.
MetricFamily instructions(const MetricsBoard& board) {
  static constexpr auto names = names_of(Net{});
  MetricFamily made = family("antiphon_instructions_total", MetricType::Counter,
                             "Instructions that were answered, by name and by what they answered.");
  for (std::size_t kind = 0; kind < instruction_kinds; ++kind) {
    for (std::size_t result = 0; result < result_kinds; ++result) {
      const std::uint64_t count =
          sum(board, [=](const MetricsSlot& slot) -> const Count& { return slot.instructions[result][kind]; });
      if (count == 0 && result != 0) continue;
      add_counter(made, static_cast<double>(count),
                  {{"instruction", std::string(names[kind])}, {"result", result_name(result)}});
    }
  }
  return made;
}

void add_connections(std::vector<MetricFamily>& families, const MetricsBoard& board) {
  // Whoever came is read last, so that no more end than came.
  const std::uint64_t ended = sum(board, &MetricsSlot::ended);
  const std::uint64_t refused = sum(board, &MetricsSlot::refused);
  const std::uint64_t by_themselves = sum(board, &MetricsSlot::failed_processes);
  const std::uint64_t failed = sum(board, &MetricsSlot::failed_children);
  const std::uint64_t killed = failed - std::min(failed, by_themselves);
  const std::uint64_t accepted = sum(board, &MetricsSlot::accepted);
  const std::uint64_t gone = std::min(accepted, ended + refused + killed);
  families.push_back(counter("antiphon_connections_accepted_total", accepted, "Clients that were accepted."));
  families.push_back(counter("antiphon_connections_refused_total", refused,
                             "Clients that were accepted and closed at once: there was no process for them."));
  families.push_back(
      counter("antiphon_connections_ended_total", ended + killed, "Connections that were served and closed."));
  families.push_back(gauge("antiphon_connections_open", static_cast<double>(accepted - gone), "Open connections."));
}

void add_verdict(std::vector<MetricFamily>& families, const MetricsBoard& board) {
  const std::vector<verify::Clause> clauses = verify::all_clauses();
  MetricFamily violations = family("antiphon_violations_total", MetricType::Counter,
                                   "Monitors that saw the clause violated; there is one for each worker.");
  bool violated = false;
  for (std::size_t at = 0; at < clauses.size(); ++at) {
    const auto count = sum(board, [=](const MetricsSlot& slot) -> const Count& { return slot.violations.at(at); });
    violated |= count > 0;
    add_counter(violations, static_cast<double>(count), {{"clause", std::string(clauses[at].name)}});
  }
  const bool unjudged = std::ranges::any_of(
      board.slots(), [](const MetricsSlot& slot) { return slot.unjudged.load(std::memory_order_relaxed); });
  MetricFamily verdict =
      family("antiphon_verdict", MetricType::Gauge, "1 for the monitor's verdict on the run so far, 0 for the others.");
  const std::array<std::pair<const char*, bool>, 3> rulings{std::pair("holds", !violated && !unjudged),
                                                            std::pair("violated", violated),
                                                            std::pair("incomplete", !violated && unjudged)};
  for (const auto& [name, is_it] : rulings) add_gauge(verdict, is_it ? 1 : 0, {{"verdict", name}});
  families.push_back(std::move(verdict));
  families.push_back(std::move(violations));
}

}  // namespace

std::vector<MetricFamily> families_of(const MetricsBoard& board, const ServerFacts& facts) {
  std::vector<MetricFamily> families;
  families.push_back(gauge("antiphon_build_info", 1, "The version that runs.", {{"version", std::string(version)}}));
  families.push_back(gauge(
      "antiphon_server_info", 1, "The program that runs, and how.",
      {{"program", facts.program}, {"interpreter", facts.interpreter}, {"workers", std::to_string(facts.workers)}}));
  families.push_back(gauge("process_start_time_seconds", static_cast<double>(facts.started_s),
                           "When the server was started, in seconds since 1970."));
  add_connections(families, board);
  families.push_back(counter("antiphon_received_bytes_total", sum(board, &MetricsSlot::received_bytes),
                             "Bytes that were received of clients."));
  families.push_back(
      counter("antiphon_sent_bytes_total", sum(board, &MetricsSlot::sent_bytes), "Bytes that were sent to clients."));
  families.push_back(instructions(board));
  families.push_back(histogram("antiphon_echo_latency_seconds",
                               "From the Recv of bytes to the Send after which all bytes received were sent back.",
                               board, &MetricsSlot::latency));
  families.push_back(histogram("antiphon_connection_duration_seconds", "From the Accept of a connection to its Close.",
                               board, &MetricsSlot::duration));
  if (facts.monitored) add_verdict(families, board);
  return families;
}

}  // namespace antiphon
