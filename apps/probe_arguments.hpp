#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "core/endpoint.hpp"
#include "verify/probe.hpp"

/// The command line of `echo-verify probe`.

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

}  // namespace antiphon
