#include "apps/log_entry.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace antiphon {
namespace {

constexpr std::chrono::system_clock::time_point time{std::chrono::milliseconds(1'000'000'000'007)};

const LogEntry entry{.level = LogLevel::warning,
                     .event = "failure",
                     .message = "Accept answered EMFILE",
                     .fields = {{"errno", "EMFILE"}, {"count", 3}}};

TEST(LogEntry, AsTextIsWhoSaysWhat) {
  EXPECT_EQ(line_of(entry, LogFormat::text, time), "echo-server: Accept answered EMFILE\n");
}

TEST(LogEntry, AsJsonIsAnObjectOfFixedMembers) {
  EXPECT_EQ(line_of(entry, LogFormat::json, time),
            R"({"time":"2001-09-09T01:46:40.007Z","level":"warning","event":"failure","origin":"echo-server",)"
            R"("message":"Accept answered EMFILE","fields":{"errno":"EMFILE","count":3}})"
            "\n");
}

TEST(LogEntry, IsOneLineWhateverItSays) {
  LogEntry odd = entry;
  odd.message = "the trace 'a\nb\xff\"' ends here";
  EXPECT_EQ(line_of(odd, LogFormat::text, time), "echo-server: the trace 'a b\xff\"' ends here\n");
  const std::string line = line_of(odd, LogFormat::json, time);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(nlohmann::json::parse(line)["message"], "the trace 'a\nb\uFFFD\"' ends here");
}

}  // namespace
}  // namespace antiphon
