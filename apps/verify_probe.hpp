#pragma once

#include <CLI/CLI.hpp>
#include <vector>

#include "apps/exit_code.hpp"
#include "core/endpoint.hpp"
#include "verify/probe.hpp"

/// `echo-verify probe`: its command line, and what it does.

namespace antiphon {

struct ProbeArguments {
  std::string target;        ///< As given: "localhost:8888".
  std::vector<Endpoint> at;  ///< What it resolves to; the first that accepts a connection is probed.
  bool allow_remote = false;
  verify::ProbeOptions options;
};

/// Declares the options of `probe`. `as_json` is set by `--json`.
void add_probe_options(CLI::App& command, ProbeArguments& arguments, bool& as_json);

/// What depends on more than one option, once all are read: where the server is, and how long clients wait.
void settle(ProbeArguments& arguments);

/// Probes the server and prints the report.
ExitCode probe(const ProbeArguments& arguments, bool as_json);

}  // namespace antiphon
