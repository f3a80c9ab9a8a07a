#include "apps/verify_report_probe.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apps/verify_report_parts.hpp"
#include "interpreters/scenario.hpp"
#include "verify/transcript.hpp"

namespace antiphon {

namespace {

using verify::ProbeFinding;
using verify::ProbeOptions;
using verify::ProbeResult;
using verify::PromiseResult;
using verify::Ruling;

std::size_t count(const ProbeResult& result, Ruling ruling) {
  return static_cast<std::size_t>(std::ranges::count(result.promises, ruling, &PromiseResult::ruling));
}

std::string_view kind_of(const ProbeOptions& options) {
  return options.expected.answers == verify::Answers::everything ? "an echo server"
                                                                 : "a server that echoes one message";
}

std::string headline(const Endpoint& at, const ProbeOptions& options, const ProbeResult& result) {
  std::string text = fmt::format("{}: {} as {}: {} of {} promises hold", name_of(result.ruling), text_of(at),
                                 kind_of(options), count(result, Ruling::holds), result.promises.size());
  if (const auto violated = count(result, Ruling::violated)) text += fmt::format(", {} violated", violated);
  if (const auto incomplete = count(result, Ruling::incomplete)) text += fmt::format(", {} not judged", incomplete);
  return text + '\n';
}

/// How sure the finding is.
std::string seen_text(const ProbeFinding& finding) {
  if (finding.tried == 0) return "nobody is served there any more: it cannot be run again";
  return fmt::format("seen again in {} of {} runs", finding.seen, finding.tried);
}

std::string remark(const ProbeOptions& options, const ProbeResult& result) {
  if (options.expected.idle_timeout_ms || !result.held_idle_client) return "";
  return "an idle client was not let go of while the probe looked; --expect-idle-timeout S judges that";
}

/// The first promise that the same clients broke.
const PromiseResult& first_alike(const ProbeResult& result, const PromiseResult& promise) {
  return *std::ranges::find_if(result.promises, [&](const PromiseResult& one) {
    return one.finding && one.finding->visit.clients == promise.finding->visit.clients;
  });
}

std::string finding_of(const Endpoint& at, const ProbeResult& result, const PromiseResult& promise) {
  const ProbeFinding& finding = *promise.finding;
  std::string text = fmt::format("\n{}: {}\n  the server {}\n  {}\n", promise.name, promise.text,
                                 sentence(finding.fault), seen_text(finding));
  if (const PromiseResult& alike = first_alike(result, promise); &alike != &promise) {
    return text + fmt::format("    the clients of '{}'\n", alike.name);
  }
  for (const std::string& line : transcript(at, finding.visit, finding.run, finding.fault)) {
    text += fmt::format("    {}\n", line);
  }
  return text;
}

/// A line for each promise. Those that were not judged for one reason share theirs.
std::string list_of(const ProbeResult& result) {
  std::string text;
  const auto& promises = result.promises;
  for (auto one = promises.begin(); one != promises.end();) {
    if (one->why.empty()) {
      text += fmt::format("  {:<10}  {:<13}  {}\n", name_of(one->ruling), one->name, one->text);
      ++one;
      continue;
    }
    const auto others = std::find_if(one, promises.end(), [&](const auto& other) { return other.why != one->why; });
    std::string names(one->name);
    const std::string& why = one->why;
    while (++one != others) names += ", " + std::string(one->name);
    text += fmt::format("  {:<10}  {:<13}  not judged: {}\n", name_of(Ruling::incomplete), names, why);
  }
  return text;
}

std::string as_text(const Endpoint& at, const ProbeOptions& options, const ProbeResult& result) {
  std::string text = headline(at, options, result) + list_of(result);
  for (const PromiseResult& promise : result.promises) {
    if (promise.finding) text += finding_of(at, result, promise);
  }
  if (const std::string one = remark(options, result); !one.empty()) text += "remark: " + one + '\n';
  return text;
}

Json finding_json(const Endpoint& at, const ProbeFinding& finding) {
  Scenario clients(0);
  clients.clients = finding.visit.clients;
  return {{"what", sentence(finding.fault)},
          {"client", finding.fault.client + 1},
          {"seen", finding.seen},
          {"runs", finding.tried},
          {"shrunk_in", finding.shrunk_in},
          {"script", describe(clients)},
          {"transcript", transcript(at, finding.visit, finding.run, finding.fault)}};
}

std::string as_json_text(const Endpoint& at, const ProbeOptions& options, const ProbeResult& result) {
  Json promises = Json::array();
  for (const PromiseResult& promise : result.promises) {
    Json one{{"promise", promise.name}, {"text", promise.text}, {"verdict", name_of(promise.ruling)}};
    if (!promise.why.empty()) one["why"] = promise.why;
    if (promise.finding) one["finding"] = finding_json(at, *promise.finding);
    promises.push_back(std::move(one));
  }
  Json remarks = Json::array();
  if (const std::string one = remark(options, result); !one.empty()) remarks.push_back(one);
  return printed({{"verdict", name_of(result.ruling)},
                  {"server", text_of(at)},
                  {"once", options.expected.answers == verify::Answers::first_message},
                  {"random_runs", options.runs},
                  {"seed", options.seed},
                  {"promises", promises},
                  {"remarks", remarks}});
}

}  // namespace

std::string probe_report(const Endpoint& at, const ProbeOptions& options, const ProbeResult& result, bool as_json) {
  return as_json ? as_json_text(at, options, result) : as_text(at, options, result);
}

}  // namespace antiphon
