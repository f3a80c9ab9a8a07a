#include "interpreters/trace_file.hpp"
#include "interpreters/trace_reader.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "interpreters/fork.hpp"

namespace antiphon {
namespace {

const TraceHeader header{"stream", "fork", 60'000, 5'000};
const ProcessEvent slept{0, 0, Issued{Exchange<Sleep>{{5}, Unit{}}, {}}};
const ProcessEvent closed{0, 1, Issued{Exchange<Close>{{Socket{0}}, Unit{}}, {}}};

class TraceFileTest : public testing::Test {
 protected:
  TraceFileTest() {
    std::string name = testing::TempDir() + "antiphon_trace_" + std::string(6, 'X');
    folder_ = mkdtemp(name.data());
  }
  ~TraceFileTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path() const { return folder_ / "t.jsonl"; }
  [[nodiscard]] std::string content() const {
    std::ostringstream text;
    text << std::ifstream(path()).rdbuf();
    return text.str();
  }

  std::filesystem::path folder_;
};

TEST_F(TraceFileTest, BeginsWithTheHeaderAndKeepsWhatCameBefore) {
  {
    const auto file = TraceFile::open(path()).value();
    file->write(slept);
    EXPECT_EQ(content(), "");
    file->start(header);
    EXPECT_EQ(content(), header_line(header) + '\n' + event_line(slept) + '\n');
  }
  EXPECT_EQ(content(), header_line(header) + '\n' + event_line(slept) + '\n');
}

TEST_F(TraceFileTest, HoldsBackUntilAClose) {
  const auto file = TraceFile::open(path()).value();
  file->start(header);
  const std::string start = content();
  file->write(slept);
  EXPECT_EQ(content(), start);
  file->write(closed);
  EXPECT_EQ(content(), start + event_line(slept) + '\n' + event_line(closed) + '\n');
}

TEST_F(TraceFileTest, HoldsBackSoMuchAndNoMore) {
  const auto file = TraceFile::open(path()).value();
  file->start(header);
  for (int event = 0; event < 10'000; ++event) {
    const auto before = std::filesystem::file_size(path());
    file->write(slept);
    const auto written = std::filesystem::file_size(path()) - before;
    if (written != 0) {
      EXPECT_GE(written, 65'536U);
      EXPECT_LT(written, 65'536U + event_line(slept).size() + 1);
      return;
    }
  }
  FAIL() << "nothing was written";
}

TEST_F(TraceFileTest, AFileThatWasNotStartedIsAsBefore) {
  TraceFile::open(path()).value()->write(closed);
  EXPECT_FALSE(std::filesystem::exists(path()));
  std::ofstream(path()) << "precious";
  TraceFile::open(path()).value()->write(closed);
  EXPECT_EQ(content(), "precious");
  TraceFile::open(path()).value()->start(header);
  EXPECT_EQ(content(), header_line(header) + '\n');
}

TEST_F(TraceFileTest, APathThatCannotBeWrittenIsAnErrorWithItsReason) {
  const std::string missing = folder_ / "missing" / "t.jsonl";
  EXPECT_EQ(TraceFile::open(missing).error(), "cannot write the trace '" + missing + "': No such file or directory");
  EXPECT_EQ(TraceFile::open(folder_).error(), "cannot write the trace '" + folder_.string() + "': Is a directory");
}

TEST_F(TraceFileTest, AFullDiskIsToldOnceAndStopsTheTraceAlone) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full";
  const auto file = TraceFile::open("/dev/full").value();
  testing::internal::CaptureStderr();
  file->start(header);
  file->write(closed);
  file->write(closed);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "the trace '/dev/full' ends here: No space left on device; serving goes on\n");
}

TEST_F(TraceFileTest, GivesEachProcessItsNumber) {
  const auto file = TraceFile::open(path()).value();
  EXPECT_EQ(file->next_process(), 1U);
  EXPECT_EQ(file->next_process(), 2U);
  file->give_back(2);
  EXPECT_EQ(file->next_process(), 2U);
  file->next_process();
  file->give_back(2);
  EXPECT_EQ(file->next_process(), 4U);
}

TEST_F(TraceFileTest, ProcessesOfOneRunShareIt) {
  constexpr int children = 8;
  constexpr int events = 2000;
  const auto file = TraceFile::open(path()).value();
  file->start(header);
  ForkHandler handler;
  Recording recording(handler, *file);
  for (int child = 0; child < children; ++child) {
    const Forked forked = recording(Fork{}).value();
    if (std::holds_alternative<Parent>(forked)) continue;
    for (int event = 0; event < events; ++event) recording(Sleep{0});
    recording.finish({});
    std::_Exit(0);
  }
  EXPECT_EQ(handler.await_children(60'000), 0);
  recording.finish({});

  std::ifstream in(path());
  TraceReader reader(in);
  EXPECT_EQ(reader.header(), header);
  std::map<ProcessId, int> count;
  for (;;) {
    const auto event = reader.next();
    ASSERT_TRUE(event.has_value()) << event.error().line << ": " << event.error().what;
    if (!*event) break;
    ++count[std::get<ProcessEvent>(**event).process];
  }
  EXPECT_FALSE(reader.cut());
  EXPECT_EQ(count[0], children + 1);
  for (ProcessId child = 1; child <= children; ++child) EXPECT_EQ(count[child], events + 2);
}

}  // namespace
}  // namespace antiphon
