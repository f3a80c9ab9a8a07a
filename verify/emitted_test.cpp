#include "verify/emitted_test.hpp"

#include <fmt/format.h>

#include <cctype>
#include <utility>

namespace antiphon::verify {

namespace {

/// "input-read" as "InputRead".
std::string in_camel_case(std::string_view name) {
  std::string text;
  bool starts = true;
  for (const char character : name) {
    const auto byte = static_cast<unsigned char>(character);
    if (std::isalnum(byte) == 0) {
      starts = true;
    } else {
      text += static_cast<char>(std::exchange(starts, false) ? std::toupper(byte) : byte);
    }
  }
  return text;
}

struct Name {
  std::string_view operator()(const script::Connect&) const { return "Connect"; }
  std::string_view operator()(const script::Send&) const { return "Send"; }
  std::string_view operator()(const script::Await&) const { return "Await"; }
  std::string_view operator()(const script::EndSide&) const { return "EndSide"; }
  std::string_view operator()(const script::Reset&) const { return "Reset"; }
  std::string_view operator()(const script::Pause&) const { return "Pause"; }
  std::string_view operator()(const script::StopReading&) const { return "StopReading"; }
  std::string_view operator()(const script::SendAny&) const { return "SendAny"; }
};

std::string source_of(const script::Action& action) {
  std::string members;
  std::visit(
      [&](const auto& one) {
        for_each_field(one, [&](std::string_view, const auto& value) { members += std::to_string(value); });
      },
      action);
  return fmt::format("script::{}{{{}}}", std::visit(Name{}, action), members);
}

/// The elements between braces, in lines that are not too wide.
std::string in_braces(const std::vector<std::string>& elements, std::string_view indent) {
  constexpr std::size_t width = 110;
  std::string text = "{";
  std::size_t column = indent.size();
  for (const std::string& element : elements) {
    if (column + element.size() > width) {
      text += fmt::format("\n{}", indent);
      column = indent.size();
    }
    text += element + ", ";
    column += element.size() + 2;
  }
  if (!elements.empty()) text.erase(text.size() - 2);
  return text + "}";
}

std::string clients_source(const std::vector<Script>& clients) {
  std::string text = "  scenario.clients = {\n";
  for (const Script& script : clients) {
    std::vector<std::string> actions;
    actions.reserve(script.size());
    for (const script::Action& action : script) actions.push_back(source_of(action));
    text += "      " + in_braces(actions, "       ") + ",\n";
  }
  return text + "  };\n";
}

std::string choices_source(const std::vector<std::uint32_t>& choices) {
  std::vector<std::string> numbers;
  numbers.reserve(choices.size());
  for (const std::uint32_t choice : choices) numbers.push_back(std::to_string(choice));
  return "  scenario.choices = " + in_braces(numbers, "                      ") + ";\n";
}

std::string faults_source(const std::vector<Fault>& faults) {
  std::string text = "  scenario.faults = {\n";
  for (const Fault& fault : faults) {
    // Named as in <cerrno>, but for the E.
    text += fmt::format("      {{fault_place({}::name), {}, Errno::{}}},\n", fault.name(), fault.nth,
                        antiphon::name_of(fault.error).substr(1));
  }
  return text + "  };\n";
}

/// What the scenario has that the plain one has not.
std::string scenario_source(const Scenario& scenario) {
  const Scenario plain(0);
  std::string text = fmt::format("  Scenario scenario({});\n", scenario.seed);
  if (!scenario.clients.empty()) text += clients_source(scenario.clients);
  if (!scenario.choices.empty()) text += choices_source(scenario.choices);
  if (scenario.comes_round > 0) text += fmt::format("  scenario.comes_round = {};\n", scenario.comes_round);
  if (!scenario.faults.empty()) text += faults_source(scenario.faults);
  if (scenario.stop_after) text += fmt::format("  scenario.stop_after = {};\n", *scenario.stop_after);
  if (scenario.short_io) text += "  scenario.short_io = true;\n";
  const auto limit = [&](std::string_view name, std::uint32_t Scenario::* member) {
    if (scenario.*member != plain.*member) text += fmt::format("  scenario.{} = {};\n", name, scenario.*member);
  };
  limit("capacity", &Scenario::capacity);
  limit("max_backlog", &Scenario::max_backlog);
  limit("max_sockets", &Scenario::max_sockets);
  limit("max_processes", &Scenario::max_processes);
  limit("addresses", &Scenario::addresses);
  return text;
}

std::string options_source(const ProgramOptions& options) {
  std::string text;
  if (const std::int64_t most = options.server.max_per_address; most != unlimited) {
    text += fmt::format("  options.server.max_per_address = {};\n", most);
  }
  if (const std::int64_t limit_ms = options.session.progress_ms; limit_ms != forever_ms) {
    text += fmt::format("  options.session.progress_ms = {};\n", limit_ms);
  }
  return text;
}

constexpr std::string_view head =
    R"(// What `echo-verify properties --program {0}` found: each test fails while its clause is broken.

{2} <gtest/gtest.h>

#include <string_view>

#include "core/programs/catalogue.hpp"
#include "verify/campaign.hpp"
#include "verify/expectations.hpp"
#include "verify/table.hpp"

namespace antiphon::verify {{
namespace {{

void expect_keeps(std::string_view clause, const Scenario& scenario) {{
  ProgramOptions options;
{1}  const Judged judged = run_and_judge(*program_named("{0}", options), scenario, expectations_of("{0}", options));
  EXPECT_TRUE(judged.run.at_rest) << "the run comes to no rest";
  const Violation* const violation = violation_of(judged.verdict, clause);
  EXPECT_EQ(violation, nullptr) << violation->sentence << '\n' << table_of(judged.run.trace, violation->event);
}}
)";

constexpr std::string_view one_test = R"(
// {0}: {1}. The same again:
//   {2}
TEST({3}, {4}) {{
{5}  expect_keeps("{0}", scenario);
}}
)";

}  // namespace

std::string emitted_test(std::string_view program, const ProgramOptions& options,
                         const std::vector<Counterexample>& counterexamples) {
  std::string text = fmt::format(head, program, options_source(options), "#include");
  for (const Counterexample& one : counterexamples) {
    text += fmt::format(one_test, one.clause.name, one.clause.text, one.replay, in_camel_case(program),
                        in_camel_case(one.clause.name), scenario_source(one.scenario));
  }
  return text + "\n}  // namespace\n}  // namespace antiphon::verify\n";
}

}  // namespace antiphon::verify
