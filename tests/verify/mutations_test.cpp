#include <gtest/gtest.h>

#include <cstddef>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "interpreters/simulated.hpp"
#include "interpreters/trace_reader.hpp"
#include "interpreters/trace_text.hpp"
#include "tests/verify/history.hpp"

/// A record in which anything at all was tampered with never passes.

namespace antiphon::verify {
namespace {

/// A whole run of the streaming server, as a record of the real kernel would have it: three clients, a stop, ends.
std::vector<std::string> recorded_lines() {
  Scenario scenario(0);
  scenario.clients = {{script::Connect{}, script::Send{5}, script::Await{5}, script::Send{2}, script::EndSide{}},
                      {script::Connect{}, script::Send{4}, script::EndSide{}},
                      {script::Pause{30}, script::Connect{}, script::EndSide{}}};
  scenario.stop_after = 10'000;  // never so far: once all is quiet
  std::vector<std::string> lines{header_line({"stream", "simulated", 60'000, 5'000})};
  for (const Event& event : simulate(*program_named("stream"), scenario).trace) {
    if (std::holds_alternative<ProcessEvent>(event)) lines.push_back(event_line(event));
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

/// "bad input" or the ruling.
std::string ruling_on(const std::string& text) {
  std::istringstream in(text);
  TraceReader reader(in);
  const auto header = reader.header();
  if (!header) return "bad input";
  Judge judge({Answers::everything, header->idle_ms, header->drain_ms});
  for (;;) {
    const auto event = reader.next();
    if (!event) return "bad input";
    if (!*event) break;
    judge.see(**event);
  }
  return std::string(name_of(judge.finish(reader.cut()).ruling));
}

using Count = std::map<std::string, std::size_t>;

TEST(Mutations, TheRecordItselfHolds) {
  EXPECT_EQ(ruling_on(joined(recorded_lines())), "holds");
  EXPECT_GT(recorded_lines().size(), 35U);
}

TEST(Mutations, ALineIsMissing) {
  const std::vector<std::string> lines = recorded_lines();
  Count count;
  for (std::size_t index = 0; index < lines.size(); ++index) {
    std::vector<std::string> fewer = lines;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(index));
    const std::string ruling = ruling_on(joined(fewer));
    EXPECT_NE(ruling, "holds") << lines[index];
    ++count[ruling];
  }
  // The last event of each of the four processes leaves no gap.
  EXPECT_EQ(count, (Count{{"bad input", lines.size() - 4}, {"incomplete", 4}}));
}

TEST(Mutations, ALineIsDoubled) {
  const std::vector<std::string> lines = recorded_lines();
  for (std::size_t index = 0; index < lines.size(); ++index) {
    std::vector<std::string> more = lines;
    more.insert(more.begin() + static_cast<std::ptrdiff_t>(index), lines[index]);
    EXPECT_EQ(ruling_on(joined(more)), "bad input") << lines[index];
  }
}

TEST(Mutations, AnEventIsDoubledAndTheRestRenumbered) {
  const auto events = [] {
    std::vector<ProcessEvent> all;
    std::istringstream in(joined(recorded_lines()));
    TraceReader reader(in);
    static_cast<void>(reader.header());
    while (const auto event = *reader.next()) all.push_back(std::get<ProcessEvent>(*event));
    return all;
  }();
  for (std::size_t index = 0; index < events.size(); ++index) {
    const auto* const issued = std::get_if<Issued>(&events[index].what);
    if (issued == nullptr || !std::holds_alternative<Exchange<Close>>(issued->exchange)) continue;
    std::vector<ProcessEvent> more = events;
    more.insert(more.begin() + static_cast<std::ptrdiff_t>(index), events[index]);
    std::map<ProcessId, std::uint64_t> numbers;
    std::string text = recorded_lines().front() + '\n';
    for (ProcessEvent& event : more) {
      event.number = numbers[event.process]++;
      append_line(text, event);
    }
    EXPECT_EQ(ruling_on(text), "violated") << "Close, event " << index;
  }
}

TEST(Mutations, AByteOfAMessageIsAnother) {
  const std::string text = joined(recorded_lines());
  constexpr std::string_view opens = R"({"text":")";
  std::size_t changed = 0;
  for (std::size_t at = text.find(opens); at != std::string::npos; at = text.find(opens, at)) {
    for (at += opens.size(); text[at] != '"'; ++at) {
      std::string other = text;
      other[at] = text[at] == 'x' ? 'y' : 'x';
      EXPECT_EQ(ruling_on(other), "violated") << "byte " << at;
      ++changed;
    }
  }
  EXPECT_EQ(changed, 2U * (7 + 4));
}

TEST(Mutations, TheRecordIsCutAnywhere) {
  const std::string text = joined(recorded_lines());
  const std::size_t header = text.find('\n') + 1;
  Count count;
  for (std::size_t size = 0; size < text.size(); ++size) {
    const std::string ruling = ruling_on(text.substr(0, size));
    EXPECT_EQ(ruling, size < header ? "bad input" : "incomplete") << "cut to " << size << " bytes";
    ++count[ruling];
  }
  EXPECT_EQ(count, (Count{{"bad input", header}, {"incomplete", text.size() - header}}));
}

TEST(Mutations, ACutRecordThatIsAlreadyViolatedIsViolated) {
  std::string text = joined(recorded_lines());
  const std::string_view sends = R"("do":"Send","to":1,"bytes":{"text":")";
  const std::size_t at = text.find(sends) + sends.size();
  text[at] = text[at] == 'x' ? 'y' : 'x';
  EXPECT_EQ(ruling_on(text.substr(0, text.size() - 1)), "violated");
  EXPECT_EQ(ruling_on(text.substr(0, text.find('\n', at) + 1)), "violated");
}

}  // namespace
}  // namespace antiphon::verify
