// Prints a program of the catalogue as the tree of its instructions. `echo-dump --help` is its manual.
//
// Try: echo-dump --program seed

#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "apps/coverage_file.hpp"
#include "apps/dump_arguments.hpp"
#include "apps/output.hpp"
#include "core/programs/catalogue.hpp"

namespace antiphon {
namespace {

ExitCode print_coverage(const DumpArguments& arguments, const ProgramGraph& graph) {
  const auto passages = read_coverage(*arguments.coverage, arguments.program, graph);
  if (!passages) {
    const std::string line = on_one_line(fmt::format("echo-dump: --coverage: {}", passages.error())) + '\n';
    return leave("echo-dump", {ExitCode::bad_input, line});
  }
  return print("echo-dump", dump(graph, arguments.format, *passages), ExitCode::holds);
}

ExitCode print(const DumpArguments& arguments) {
  const ProgramGraph graph = graph_of(*program_named(arguments.program));
  if (arguments.coverage) return print_coverage(arguments, graph);
  const std::string text = arguments.identity ? identity_of(graph) + '\n' : dump(graph, arguments.format);
  return print("echo-dump", text, ExitCode::holds);
}

}  // namespace
}  // namespace antiphon

int main(int count, char** values) {
  using namespace antiphon;
  const auto arguments = read_dump_arguments(count, values);
  if (!arguments) return status_of(leave("echo-dump", arguments.error()));
  try {
    return status_of(print(*arguments));
  } catch (const std::exception& failure) {
    fmt::print(stderr, "echo-dump: {}\n", failure.what());
    return status_of(ExitCode::violated);
  }
}
