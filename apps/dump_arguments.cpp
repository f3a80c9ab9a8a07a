#include "apps/dump_arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string_view>
#include <utility>

#include "apps/arguments.hpp"

namespace antiphon {

namespace {

constexpr std::string_view manual = R"(echo-dump - prints an echo server as the tree of its instructions

USAGE
  echo-dump [--program NAME] [--format NAME]
  echo-dump [--program NAME] --coverage FILE [--format tree|dot]
  echo-dump [--program NAME] --identity

  Walks a program, which is a value, without running it: at each instruction every class of response is fed to what
  follows. Prints each instruction once, with a branch for each class; a loop is a branch that leads back.

  What the program is given stands as a symbol, named by what gives it: listener₁, client₁, message₁, child₁. Where
  several things can stand at one place, `|` separates them. A branch `sometimes` taken depends on what the program
  carries through its loops.

OPTIONS
  --program NAME  The server to print. Default stream.
                    stream  echoes until the client ends its side
                    once    answers the first message and ends the connection
                    seed    the original echo server
  --format NAME   The notation. Default tree.
                    tree     for people. `#4` numbers an instruction, `:28` is its line in the source, `↑ #4` goes
                             back to an instruction that leads here, `→ #4` goes on with one drawn elsewhere
                    dot      for Graphviz
                    mermaid  a flowchart for Markdown pages
                    json     for programs
  --coverage FILE Show how often runs came by. FILE is what `echo-verify properties --format json` printed of the
                  program. `×12` counts how often an instruction was come to or a branch was taken. tree says
                  `never reached` and `(never taken)`, dot has it dashed and grey. No other notation shows it.
  --identity      Print 32 hexadecimal digits that tell programs apart, instead of the program. They do not depend on
                  the compiler, nor on lines in the source.
  --version       Print the version and exit.
  -h, --help      Print this page and exit.

  The output ends with `not complete` and the reasons if branches may be missing: where a program looks at what is in
  a message, and where it has more states than were followed.

EXIT STATUS
  0  printed
  1  could not walk the program: not enough memory
  2  wrong usage, FILE is not coverage of the program, or nobody reads the output

EXAMPLES
  echo-dump --program seed
  echo-dump --format dot | dot -Tsvg > stream.svg
  echo-verify properties --format json > runs.json; echo-dump --coverage runs.json
)";

}  // namespace

std::expected<DumpArguments, Farewell> read_dump_arguments(int count, const char* const* values) {
  DumpArguments arguments;
  CLI::App app;
  app.set_help_flag("-h,--help");
  app.set_version_flag("--version", fmt::format("echo-dump {}", version));
  add_text(app, "--program", [&](const std::string& name) { arguments.program = program_name("--program", name); });
  CLI::Option* const format = add_text(app, "--format", [&](const std::string& name) {
    arguments.format = static_cast<DumpFormat>(choice("--format", name, dump_format_names));
  });
  CLI::Option* const coverage =
      add_text(app, "--coverage", [&](const std::string& file) { arguments.coverage = file; });
  app.add_flag("--identity", arguments.identity)->excludes(format)->excludes(coverage);
  app.final_callback([&] {
    if (!arguments.coverage || shows_passages(arguments.format)) return;
    refuse("--coverage", fmt::format("the notation '{}' does not show it: --format tree or dot",
                                     dump_format_names[static_cast<std::size_t>(arguments.format)]));
  });
  if (auto farewell = parse("echo-dump", app, count, values, std::string(manual))) {
    return std::unexpected(*std::move(farewell));
  }
  return arguments;
}

}  // namespace antiphon
