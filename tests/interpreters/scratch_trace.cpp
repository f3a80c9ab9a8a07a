#include "tests/interpreters/scratch_trace.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

#include "interpreters/trace_reader.hpp"

namespace antiphon {

ScratchTrace::ScratchTrace() {
  std::string name = testing::TempDir() + "antiphon_trace_" + std::string(6, 'X');
  folder_ = mkdtemp(name.data());
}

ScratchTrace::~ScratchTrace() { std::filesystem::remove_all(folder_); }

std::string ScratchTrace::content_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TraceHeader ScratchTrace::header_of(const std::string& path) {
  std::ifstream in(path);
  return TraceReader(in).header().value_or(TraceHeader{});
}

std::vector<ProcessEvent> ScratchTrace::events_of(const std::vector<std::string>& paths) {
  std::vector<ProcessEvent> events;
  std::ifstream first(paths.front());
  TraceReader reader(first);
  EXPECT_TRUE(reader.header().has_value());
  for (const std::string& path : paths) {
    std::ifstream file(path);
    if (path != paths.front()) {
      TraceReader next_part(file);
      EXPECT_TRUE(next_part.header().has_value());
      reader.go_on(std::move(next_part));
    }
    for (;;) {
      const auto event = reader.next();
      if (!event) ADD_FAILURE() << path << ":" << event.error().line << ": " << event.error().what;
      if (!event || !*event) break;
      events.push_back(std::get<ProcessEvent>(**event));
    }
    EXPECT_FALSE(reader.cut()) << path;
  }
  return events;
}

}  // namespace antiphon
