#include "interpreters/line_reader.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "tests/rapidcheck.hpp"

namespace antiphon {
namespace {

using Lines = std::vector<std::string>;

struct Outcome {
  Lines lines;
  std::string rest;
  std::string error;
  std::size_t number = 0;
};

Outcome read(const std::string& text, std::size_t longest = 1000) {
  std::istringstream in(text);
  LineReader reader(in, longest);
  Outcome outcome;
  for (;;) {
    const auto line = reader.next();
    if (!line) outcome.error = line.error();
    if (!line || !*line) break;
    outcome.lines.emplace_back(**line);
  }
  outcome.rest = reader.rest();
  outcome.number = reader.number();
  return outcome;
}

TEST(LineReader, ReadsLinesAndWhatIsLeft) {
  EXPECT_EQ(read("a\n\nbc\n").lines, (Lines{"a", "", "bc"}));
  EXPECT_EQ(read("a\n\nbc\n").number, 3U);
  EXPECT_EQ(read("a\nbc").lines, (Lines{"a"}));
  EXPECT_EQ(read("a\nbc").rest, "bc");
  EXPECT_EQ(read("a\nbc").number, 2U);
  EXPECT_EQ(read("").number, 1U);
}

TEST(LineReader, RefusesALineThatIsTooLong) {
  EXPECT_EQ(read("12345\n", 5).error, "");
  EXPECT_EQ(read("1\n123456\n", 5).error, "the line is longer than any that belongs here");
  EXPECT_EQ(read("1\n123456", 5).number, 2U);
  EXPECT_EQ(read(std::string(1'000'000, 'x'), 5).error, "the line is longer than any that belongs here");
  EXPECT_EQ(read(std::string(10, '\0'), 5).error, "a NUL byte: this is no text");
}

RC_GTEST_PROP(LineReader, LosesNothing, (std::vector<std::string> lines)) {
  std::string text;
  for (std::string& line : lines) {
    std::erase(line, '\n');
    // Some lines are longer than a block.
    if (line.size() % 7 == 6) line.resize(300'000, '.');
    text += line + '\n';
  }
  RC_ASSERT(read(text, 1'000'000).lines == lines);
}

}  // namespace
}  // namespace antiphon
