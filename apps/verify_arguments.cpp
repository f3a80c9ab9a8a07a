#include "apps/verify_arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <limits>
#include <string_view>

#include "apps/arguments.hpp"
#include "verify/generate.hpp"

namespace antiphon {

namespace {

constexpr std::string_view manual =
    R"(echo-verify - checks what an echo server does against the contracts that it must keep

USAGE
  echo-verify properties [--program NAME] [--runs N] [--seed S] [--clients N] [--faults LIST] [--format FORMAT]
  echo-verify properties [--program NAME] --replay TOKEN [--format FORMAT]
  echo-verify trace FILE [--program NAME] [--format FORMAT]

  `properties` runs the server's program in a simulated network with random clients, schedules and faults, and judges
  every run. What breaks a contract is shrunk to a small scenario, printed as a table with a column for each client
  and process, with a token that replays it. Servers with a planted defect are run beside it and must be caught.

  `trace` judges a run that `echo-server --trace FILE` recorded.

OPTIONS
  --program NAME   stream, once or seed. Default: stream; of a trace, what its first line says.
  --runs N         How many scenarios. Default 10000.
  --seed S         Where they are drawn from; the same seed gives the same scenarios. Default 1.
  --clients N      The most clients in a scenario, 1 to 16. Default 4.
  --faults LIST    none, all, or names with commas between them. Default none. Each scenario has some of them.
{}  --replay TOKEN   Run the scenario of a counterexample again.
  --format FORMAT  text or json. Default text.
  --version        Print the version and exit.
  -h, --help       Print this page and exit.

EXIT STATUS
  0  holds
  1  violated
  2  did not run: wrong usage, a trace that does not read, a token of another program
  3  incomplete: what was seen allows no verdict; the last lines say why (more runs may help)

EXAMPLES
  echo-verify properties --faults all
  echo-verify properties --program seed
  echo-server --trace t.jsonl      then, once it has stopped: echo-verify trace t.jsonl
)";

std::string page() {
  std::string faults;
  for (const verify::FaultClass& one : verify::fault_classes()) {
    faults += fmt::format("                     {:<11}{}\n", one.name, one.meaning);
  }
  return fmt::format(fmt::runtime(manual), faults);
}

constexpr std::string_view format_names[] = {"text", "json"};

void take_faults(VerifyArguments& arguments, const std::string& list) {
  auto classes = verify::faults_named(list);
  if (!classes) refuse("--faults", classes.error());
  arguments.faults = list;
  arguments.fault_classes = *std::move(classes);
}

void add_options(CLI::App& app, VerifyArguments& arguments) {
  app.set_help_flag("-h,--help");
  app.set_version_flag("--version", fmt::format("echo-verify {}", version));
  app.require_subcommand(1);
  CLI::App* const properties = app.add_subcommand("properties");
  CLI::App* const trace = app.add_subcommand("trace");
  trace->callback([&] { arguments.judges_trace = true; });
  trace->add_option("FILE", arguments.file)->required();
  for (CLI::App* const command : {properties, trace}) {
    command->set_help_flag("-h,--help");
    add_text(*command, "--program",
             [&](const std::string& name) { arguments.program = program_name("--program", name); });
    add_text(*command, "--format",
             [&](const std::string& format) { arguments.as_json = choice("--format", format, format_names) == 1; });
  }
  CLI::Option* const replay =
      add_text(*properties, "--replay", [&](const std::string& token) { arguments.token = token; });
  const auto number = [&](const std::string& name, auto& member, std::int64_t least, std::int64_t most) {
    using Number = std::remove_reference_t<decltype(member)>;
    add_text(*properties, name, [=, &member](const std::string& text) {
      member = static_cast<Number>(whole_number(name, text, least, most));
    })->excludes(replay);
  };
  number("--runs", arguments.runs, 1, 1'000'000'000);
  number("--seed", arguments.seed, 0, std::numeric_limits<std::int64_t>::max());
  number("--clients", arguments.clients, 1, 16);
  add_text(*properties, "--faults", [&](const std::string& list) { take_faults(arguments, list); })->excludes(replay);
}

}  // namespace

std::expected<VerifyArguments, Farewell> read_verify_arguments(int count, const char* const* values) {
  VerifyArguments arguments;
  CLI::App app;
  add_options(app, arguments);
  if (const auto farewell = parse("echo-verify", app, count, values, page())) return std::unexpected(*farewell);
  return arguments;
}

}  // namespace antiphon
