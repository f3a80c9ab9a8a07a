#include "verify/emitted_test.hpp"

#include <gtest/gtest.h>

#include "core/effects.hpp"

namespace antiphon::verify {
namespace {

/// What stands between the braces of the only test.
std::string body_of(const Scenario& scenario) {
  const std::string text = emitted_test("once", {}, {{{"some-clause", "what holds"}, scenario, "the command"}});
  const std::string before = "TEST(Once, SomeClause) {\n";
  const std::size_t start = text.find(before) + before.size();
  return text.substr(start, text.find("\n}\n", start) + 1 - start);
}

TEST(EmittedTest, OfThePlainScenarioSaysNoMore) {
  EXPECT_EQ(body_of(Scenario(0)), "  Scenario scenario(0);\n  expect_keeps(\"some-clause\", scenario);\n");
}

TEST(EmittedTest, SaysAllThatTheScenarioHas) {
  Scenario scenario(7);
  scenario.clients = {{script::Connect{}, script::StopReading{}, script::Send{3}, script::Await{2}, script::Pause{9}},
                      {script::Connect{}, script::EndSide{}, script::Reset{}},
                      {}};
  scenario.choices = {1, 0, 12};
  scenario.faults = {{fault_place(Accept::name), 2, Errno::CONNABORTED}};
  scenario.stop_after = 4;
  scenario.short_io = true;
  scenario.capacity = 1;
  scenario.max_backlog = 2;
  scenario.max_sockets = 3;
  scenario.max_processes = 5;
  scenario.addresses = 6;
  EXPECT_EQ(body_of(scenario),
            "  Scenario scenario(7);\n"
            "  scenario.clients = {\n"
            "      {script::Connect{}, script::StopReading{}, script::Send{3}, script::Await{2}, script::Pause{9}},\n"
            "      {script::Connect{}, script::EndSide{}, script::Reset{}},\n"
            "      {},\n"
            "  };\n"
            "  scenario.choices = {1, 0, 12};\n"
            "  scenario.faults = {\n"
            "      {fault_place(Accept::name), 2, Errno::CONNABORTED},\n"
            "  };\n"
            "  scenario.stop_after = 4;\n"
            "  scenario.short_io = true;\n"
            "  scenario.capacity = 1;\n"
            "  scenario.max_backlog = 2;\n"
            "  scenario.max_sockets = 3;\n"
            "  scenario.max_processes = 5;\n"
            "  scenario.addresses = 6;\n"
            "  expect_keeps(\"some-clause\", scenario);\n");
}

TEST(EmittedTest, SaysWhichLimitsTheProgramHas) {
  const std::vector<Counterexample> found{{{"some-clause", "what holds"}, Scenario(0), "the command"}};
  EXPECT_NE(emitted_test("once", {}, found).find("  ProgramOptions options;\n  const Judged judged"),
            std::string::npos);
  ProgramOptions limited;
  limited.server.max_per_address = 2;
  limited.session.progress_ms = 30'000;
  EXPECT_NE(emitted_test("once", limited, found)
                .find("  ProgramOptions options;\n"
                      "  options.server.max_per_address = 2;\n"
                      "  options.session.progress_ms = 30000;\n"
                      "  const Judged judged = run_and_judge(*program_named(\"once\", options), scenario,"),
            std::string::npos);
}

TEST(EmittedTest, LongListsHaveManyLines) {
  Scenario scenario(0);
  scenario.choices.resize(200);
  std::size_t column = 0;
  for (const char character : body_of(scenario)) {
    column = character == '\n' ? 0 : column + 1;
    EXPECT_LE(column, 120U);
  }
}

}  // namespace
}  // namespace antiphon::verify
