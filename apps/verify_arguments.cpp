#include "apps/verify_arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <string_view>

#include "apps/arguments.hpp"
#include "apps/limits.hpp"
#include "apps/verify_manual.hpp"
#include "verify/generate.hpp"

namespace antiphon {

namespace {

constexpr std::string_view format_names[] = {"text", "json"};
constexpr std::string_view input_names[] = {"antiphon", "strace", "pcap"};                // as in TraceInput
constexpr std::string_view strategy_names[] = {"dfs", "bfs", "random", "pct", "guided"};  // as in verify::Order
constexpr std::string_view reduction_names[] = {"none", "por", "symmetry", "all"};

constexpr std::int64_t most_runs = 1'000'000'000;

void take_faults(VerifyArguments& arguments, const std::string& list) {
  auto classes = verify::faults_named(list);
  if (!classes) refuse("--faults", classes.error());
  arguments.faults = list;
  arguments.fault_classes = *std::move(classes);
}

CLI::Option* add_stage_option(CLI::App& command, VerifyArguments& arguments) {
  return add_text(command, "--on", [&](const std::string& name) {
    arguments.stage = static_cast<verify::Stage>(choice("--on", name, verify::stage_names));
  });
}

void add_properties_options(CLI::App& command, VerifyArguments& arguments) {
  CLI::Option* const replay = add_text(command, "--replay", [&](const std::string& token) { arguments.token = token; });
  CLI::Option* const on = add_stage_option(command, arguments);
  add_text(command, "--emit-test", [&](const std::string& file) { arguments.emit_test = file; })->excludes(on);
  command.add_flag("--coverage", arguments.coverage)->excludes(replay)->excludes(on);
  CLI::Option* const runs = add_number(command, "--runs", arguments.runs, 1, most_runs)->excludes(replay);
  add_number(command, "--seed", arguments.seed, 0, most_seed)->excludes(replay);
  add_number(command, "--clients", arguments.clients, 1, 16)->excludes(replay);
  add_text(command, "--faults", [&](const std::string& list) { take_faults(arguments, list); })->excludes(replay);
  command.callback([&arguments, runs] {
    if (runs->count() > 0) arguments.stage_runs = arguments.runs;
  });
}

void add_scope_options(CLI::App& command, VerifyArguments& arguments) {
  ExploreArguments& explore = arguments.explore;
  add_number(command, "--size", explore.scope.size, 1, 64);
  add_number(command, "--capacity", explore.scope.capacity, 1, 64);
  add_number(command, "--memory", explore.memory_mib, 1, 1'000'000);
  add_text(command, "--messages", [&](const std::string& text) {
    explore.scope.any_messages = text == "any";
    if (!explore.scope.any_messages) {
      explore.scope.messages = static_cast<std::uint32_t>(whole_number("--messages", text, 0, 8));
    }
  });
  add_text(command, "--faults", [&](const std::string& list) { take_faults(arguments, list); });
  add_number(command, "--clients", explore.scope.clients, 1, 8);
}

void add_compare_options(CLI::App& command, VerifyArguments& arguments) {
  constexpr std::string_view sides[] = {"A", "B"};
  for (std::size_t side = 0; side < std::size(sides); ++side) {
    const std::string name(sides[side]);
    add_text(command, name, [&arguments, side, name](const std::string& text) {
      arguments.compared.at(side) = program_name(name, text);
    })->required();
  }
  add_scope_options(command, arguments);
  command.callback([&arguments] { arguments.command = VerifyCommand::compare; });
}

void add_explore_options(CLI::App& command, VerifyArguments& arguments) {
  ExploreArguments& explore = arguments.explore;
  add_scope_options(command, arguments);
  add_text(command, "--strategy", [&](const std::string& name) {
    explore.order = static_cast<verify::Order>(choice("--strategy", name, strategy_names));
  });
  CLI::Option* const reduce = add_text(command, "--reduce", [&](const std::string& name) {
    const std::size_t which = choice("--reduce", name, reduction_names);
    explore.reductions = {.partial_order = which == 1 || which == 3, .symmetry = which >= 2};
  });
  add_text(command, "--emit-test", [&](const std::string& file) { arguments.emit_test = file; });
  add_number(command, "--threads", explore.threads, 1, 64);
  const std::vector<CLI::Option*> of_walks{
      add_number(command, "--runs", arguments.runs, 1, most_runs),
      add_number(command, "--seed", arguments.seed, 0, most_seed),
      add_number(command, "--depth", explore.depth, 1, 10),
  };
  command.callback([&, reduce, of_walks] {
    arguments.command = VerifyCommand::explore;
    if (explore.threads > 1 && explore.order != verify::Order::depth_first) {
      refuse("--threads", "only --strategy dfs has more than one");
    }
    if (verify::in_walks(explore.order)) {
      if (reduce->count() > 0) refuse("--reduce", "walks leave nothing out");
      return;
    }
    for (const CLI::Option* const option : of_walks) {
      if (option->count() > 0) refuse(option->get_name(), "only walks have it: --strategy random, pct or guided");
    }
  });
}

void add_trace_options(CLI::App& command, VerifyArguments& arguments) {
  command.add_option("FILE", arguments.files)->required();
  add_text(command, "--input", [&](const std::string& name) {
    arguments.input = static_cast<TraceInput>(choice("--input", name, input_names));
  });
  add_text(command, "--port",
           [&](const std::string& text) { arguments.port = whole_number("--port", text, 1, 65'535); });
  command.add_flag("--in-simulator", arguments.in_simulator);
  command.callback([&arguments] {
    arguments.command = VerifyCommand::trace;
    const bool ours = arguments.input == TraceInput::antiphon;
    if (!ours && arguments.in_simulator) refuse("--in-simulator", "only --input antiphon has it");
    if (arguments.in_simulator && !arguments.program) refuse("--in-simulator", "it needs --program");
    if (ours && arguments.port) refuse("--port", "only --input strace and pcap have it");
    if (!ours && arguments.program) refuse("--program", "only --input antiphon has it");
    if (!ours && arguments.files.size() > 1) refuse("FILE", "only --input antiphon takes several parts");
  });
}

void add_options(CLI::App& app, VerifyArguments& arguments) {
  app.set_help_flag("-h,--help");
  app.set_version_flag("--version", fmt::format("echo-verify {}", version));
  app.require_subcommand(1);
  CLI::App* const properties = app.add_subcommand("properties");
  CLI::App* const trace = app.add_subcommand("trace");
  CLI::App* const explore = app.add_subcommand("explore");
  CLI::App* const mutants = app.add_subcommand("mutants");
  CLI::App* const compare = app.add_subcommand("compare");
  CLI::App* const probe = app.add_subcommand("probe");
  CLI::App* const faults = app.add_subcommand("faults");
  mutants->callback([&] { arguments.command = VerifyCommand::mutants; });
  faults->callback([&] { arguments.command = VerifyCommand::faults; });
  for (CLI::App* const command : {properties, trace, explore, mutants, compare, probe, faults}) {
    command->set_help_flag("-h,--help");
    if (command != compare && command != probe) {
      add_text(*command, "--program",
               [&](const std::string& name) { arguments.program = program_name("--program", name); });
    }
    add_text(*command, "--format",
             [&](const std::string& format) { arguments.as_json = choice("--format", format, format_names) == 1; });
  }
  add_properties_options(*properties, arguments);
  add_stage_option(*faults, arguments);
  add_number(*mutants, "--runs", arguments.mutant_runs, 1, most_runs);
  add_number(*mutants, "--seed", arguments.seed, 0, most_seed);
  add_trace_options(*trace, arguments);
  add_explore_options(*explore, arguments);
  add_compare_options(*compare, arguments);
  probe->callback([&] {
    arguments.command = VerifyCommand::probe;
    settle(arguments.probe);
  });
  add_probe_options(*probe, arguments.probe, arguments.as_json);
  for (CLI::App* const command : {properties, explore, mutants, compare, faults}) {
    add_limit_options(*command, arguments.options);
  }
  app.final_callback([&] {
    const bool is_seed =
        arguments.program == "seed" || std::ranges::find(arguments.compared, "seed") != arguments.compared.end();
    if (is_seed) refuse_for_seed(*app.get_subcommands().front(), limit_options);
  });
}

}  // namespace

std::expected<VerifyArguments, Farewell> read_verify_arguments(int count, const char* const* values) {
  VerifyArguments arguments;
  CLI::App app;
  add_options(app, arguments);
  if (const auto farewell = parse("echo-verify", app, count, values, verify_manual()))
    return std::unexpected(*farewell);
  return arguments;
}

}  // namespace antiphon
