// Prints a program of the catalogue as the tree of its instructions. `echo-dump --help` is its manual.
//
// Try: echo-dump --program seed

#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "apps/dump_arguments.hpp"
#include "core/programs/catalogue.hpp"

namespace antiphon {
namespace {

/// What was asked for, on standard output. That may go away before all is written.
ExitCode print(const DumpArguments& arguments) {
  const ProgramGraph graph = graph_of(*program_named(arguments.program));
  const std::string text = arguments.identity ? identity_of(graph) + '\n' : dump(graph, arguments.format);
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (written) return ExitCode::holds;
  std::perror("echo-dump: cannot write to standard output");
  return ExitCode::bad_input;
}

}  // namespace
}  // namespace antiphon

int main(int count, char** values) {
  using namespace antiphon;
  const auto arguments = read_dump_arguments(count, values);
  if (!arguments) {
    const Farewell& farewell = arguments.error();
    fmt::print(farewell.code == ExitCode::holds ? stdout : stderr, "{}", farewell.text);
    return status_of(farewell.code);
  }
  try {
    return status_of(print(*arguments));
  } catch (const std::exception& failure) {
    fmt::print(stderr, "echo-dump: {}\n", failure.what());
    return status_of(ExitCode::violated);
  }
}
