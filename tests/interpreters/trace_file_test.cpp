#include "interpreters/trace_file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "tests/interpreters/scratch_trace.hpp"

namespace antiphon {
namespace {

class TraceFileTest : public ScratchTrace {
 protected:
  [[nodiscard]] std::unique_ptr<TraceFile> started(std::uint64_t most_bytes = unlimited) const {
    auto file = TraceFile::open(path(), most_bytes).value();
    file->start(header);
    return file;
  }
  [[nodiscard]] std::uint64_t on_disk() const {
    std::uint64_t size = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) size += entry.file_size();
    return size;
  }
};

/// How a part that is not the first begins.
std::string part_line(std::uint32_t part) {
  TraceHeader next = header;
  next.part = part;
  return header_line(next) + '\n';
}

std::string line_of(ProcessId process, std::uint64_t number) {
  return event_line(ProcessEvent{process, number, Issued{Exchange<Sleep>{{5}, Unit{}}, {}}}) + '\n';
}

/// A process that does this and is ended by a signal if `dies`.
template <class Do>
void in_a_child(bool dies, Do what) {
  const pid_t child = fork();
  if (child == 0) {
    what();
    std::_Exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(dies, WIFSIGNALED(status)) << status;
}

/// Appends the line and dies when ten bytes of it are written: nothing may be longer than a limit.
void die_in_the_line(TraceFile& file, const std::string& path, const std::string& line) {
  in_a_child(true, [&] {
    std::signal(SIGXFSZ, SIG_DFL);
    const rlim_t size = std::filesystem::file_size(path) + 10;
    const rlimit limit{size, size};
    setrlimit(RLIMIT_FSIZE, &limit);
    file.append(line);
  });
}

TEST_F(TraceFileTest, BeginsWithTheHeader) {
  const auto file = TraceFile::open(path()).value();
  EXPECT_EQ(content(), "");
  EXPECT_FALSE(file->has_started());
  file->start(header);
  EXPECT_TRUE(file->has_started());
  file->append("one\ntwo\n");
  EXPECT_EQ(content(), first_line + "one\ntwo\n");
}

TEST_F(TraceFileTest, AFileThatWasNotStartedIsAsBefore) {
  static_cast<void>(TraceFile::open(path()).value());
  EXPECT_FALSE(std::filesystem::exists(path()));
  std::ofstream(path()) << "precious";
  static_cast<void>(TraceFile::open(path(), least_trace_bytes).value());
  EXPECT_EQ(content(), "precious");
  static_cast<void>(started());
  EXPECT_EQ(content(), first_line);
}

TEST_F(TraceFileTest, APathThatCannotBeWrittenIsAnErrorWithItsReason) {
  const std::string missing = folder_ / "missing" / "t.jsonl";
  EXPECT_EQ(TraceFile::open(missing).error(), "cannot write the trace '" + missing + "': No such file or directory");
  EXPECT_EQ(TraceFile::open(folder_).error(), "cannot write the trace '" + folder_.string() + "': Is a directory");
}

TEST_F(TraceFileTest, AFileThatAnotherProcessWritesIsRefused) {
  const auto file = started();
  const pid_t other = fork();
  if (other == 0) {
    const auto opened = TraceFile::open(path());
    const bool is_refused =
        !opened && opened.error() == "cannot write the trace '" + path() + "': another server writes there";
    std::_Exit(is_refused ? 7 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(other, &status, 0), other);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_EQ(content(), first_line);
}

TEST_F(TraceFileTest, OnlyARegularFileCanBeBounded) {
  EXPECT_EQ(TraceFile::open("/dev/null", least_trace_bytes).error(),
            "cannot bound the trace '/dev/null': it is not a regular file");
  EXPECT_TRUE(TraceFile::open("/dev/null"));
  std::filesystem::create_directory(older_path());
  EXPECT_EQ(TraceFile::open(path(), least_trace_bytes).error(),
            "cannot bound the trace '" + path() + "': '" + older_path() + "' is not a regular file");
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(TraceFileTest, AFullDiskIsToldOnceAndStopsTheTraceAlone) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full";
  const auto file = TraceFile::open("/dev/full").value();
  testing::internal::CaptureStderr();
  file->start(header);
  file->append("one\n");
  file->append("two\n");
  EXPECT_TRUE(file->has_given_up());
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "the trace '/dev/full' ends here: No space left on device; serving goes on\n");
}

// -- Parts -------------------------------------------------------------------------------------------------------

TEST_F(TraceFileTest, WithoutABoundItHasOnePart) {
  const auto file = started();
  for (std::uint64_t number = 0; number < 2000; ++number) file->append(line_of(0, number));
  EXPECT_FALSE(std::filesystem::exists(older_path()));
  EXPECT_EQ(events_of({path()}).size(), 2000U);
}

TEST_F(TraceFileTest, GoesOnInANewPartWhenHalfOfTheBoundIsFull) {
  const auto file = started(least_trace_bytes);
  std::uint64_t number = 0;
  while (!std::filesystem::exists(older_path())) file->append(line_of(0, number++));
  EXPECT_LE(std::filesystem::file_size(older_path()), least_trace_bytes / 2);
  EXPECT_GT(std::filesystem::file_size(older_path()), least_trace_bytes / 2 - line_of(0, number).size());
  EXPECT_EQ(header_of(older_path()), header);
  TraceHeader next = header;
  next.part = 1;
  EXPECT_EQ(content(), header_line(next) + '\n' + line_of(0, number - 1));
  EXPECT_EQ(events_of({older_path(), path()}).size(), number);
}

TEST_F(TraceFileTest, NeverPassesItsBoundAndKeepsTheLatest) {
  const auto file = started(least_trace_bytes);
  std::string lines;
  std::uint64_t number = 0;
  for (int call = 0; call < 200; ++call) {
    // Of all lengths up to more than the bound.
    for (int count = 0; count < call * 5; ++count) lines += line_of(0, number++);
    file->append(lines);
    lines.clear();
    ASSERT_LE(on_disk(), least_trace_bytes);
  }
  EXPECT_EQ(header_of(path()).part, header_of(older_path()).part + 1);
  EXPECT_GT(header_of(older_path()).part, 10U);
  EXPECT_TRUE(content().ends_with(line_of(0, number - 1)));
}

TEST_F(TraceFileTest, ALineLongerThanHalfTakesTheOlderPartsRoom) {
  const auto file = started(least_trace_bytes);
  const std::string longest(least_trace_bytes / 2 + 2000, '#');
  for (int count = 0; count < 3; ++count) {
    file->append(line_of(0, 0));
    file->append(longest + '\n');
    ASSERT_LE(on_disk(), least_trace_bytes);
    EXPECT_NE(content().find(longest), std::string::npos);
  }
}

TEST_F(TraceFileTest, AnOlderPartOfAnotherRunIsRemovedAtTheStartAndNotBefore) {
  std::ofstream(older_path()) << "precious";
  static_cast<void>(started());
  EXPECT_EQ(content_of(older_path()), "precious");
  const auto file = TraceFile::open(path(), least_trace_bytes).value();
  EXPECT_EQ(content_of(older_path()), "precious");
  file->start(header);
  EXPECT_FALSE(std::filesystem::exists(older_path()));
}

TEST_F(TraceFileTest, ProcessesFollowFromPartToPart) {
  constexpr ProcessId children = 4;
  constexpr std::uint64_t events = 150;
  const auto file = started(std::uint64_t{1} << 20U);
  const auto write = [&](ProcessId process) {
    for (std::uint64_t number = 0; number < events; ++number)
      file->append(std::to_string(process) + line_of(0, number));
  };
  std::vector<pid_t> born;
  for (ProcessId child = 0; child < children; ++child) {
    born.push_back(fork());
    if (born.back() != 0) continue;
    for (int turn = 0; turn < 20; ++turn) write(child);
    std::_Exit(0);
  }
  for (const pid_t child : born) {
    int status = 1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
  }
  ASSERT_EQ(header_of(path()).part, 1U);
  EXPECT_EQ(header_of(older_path()).part, 0U);
  // Each process's lines come in its order, over both parts.
  std::map<char, std::uint64_t> count;
  std::istringstream all(content_of(older_path()) + content());
  for (std::string line; std::getline(all, line);) {
    if (line.starts_with('{')) continue;
    const std::uint64_t number = count[line.front()]++ % events;
    ASSERT_EQ(line.substr(1) + '\n', line_of(0, number));
  }
  EXPECT_EQ(count.size(), children);
  for (const auto& [process, lines] : count) EXPECT_EQ(lines, 20 * events) << process;
}

TEST_F(TraceFileTest, APartThatIsGoneKeepsNoRoomUnlessItHasAnotherName) {
  const auto file = started(least_trace_bytes);
  const std::string full = std::string(least_trace_bytes / 2 - 1000, '#') + '\n';
  std::ifstream held(path());
  file->append(full);
  file->append(full);
  EXPECT_EQ(std::string(std::istreambuf_iterator(held), {}).size(), first_line.size() + full.size());
  std::filesystem::create_hard_link(path(), folder_ / "kept");
  file->append(full);
  held.clear();
  held.seekg(0);
  EXPECT_EQ(std::string(std::istreambuf_iterator(held), {}), "");
  file->append(full);
  EXPECT_EQ(header_of(path()).part, 3U);
  EXPECT_EQ(header_of(folder_ / "kept").part, 1U);
  EXPECT_GT(std::filesystem::file_size(folder_ / "kept"), full.size());
}

// -- Deaths ------------------------------------------------------------------------------------------------------

TEST_F(TraceFileTest, WhatAProcessLeftHalfWrittenIsTakenBack) {
  const auto file = started();
  file->append("one\n");
  die_in_the_line(*file, path(), "two, which is longer than ten bytes\n");
  EXPECT_EQ(content(), first_line + "one\ntwo, which");
  file->append("three\n");
  EXPECT_EQ(content(), first_line + "one\nthree\n");
  file->append("four\n");
  EXPECT_EQ(content(), first_line + "one\nthree\nfour\n");
}

TEST_F(TraceFileTest, APartThatAProcessLeftHalfBegunIsBegunAgain) {
  for (const char* const left : {"nothing", "", R"({"antiphon":"tr)"}) {
    const auto file = started(least_trace_bytes);
    die_in_the_line(*file, path(), "two, which is longer than ten bytes\n");
    // As one leaves it that dies while it begins a part.
    std::filesystem::rename(path(), older_path());
    if (std::string(left) != "nothing") std::ofstream(path()) << left;
    file->append("three\n");
    TraceHeader next = header;
    next.part = 1;
    EXPECT_EQ(content(), header_line(next) + "\nthree\n");
    EXPECT_TRUE(content_of(older_path()).starts_with(first_line));
    in_a_child(false, [&] { file->append("four\n"); });
    EXPECT_EQ(content(), header_line(next) + "\nthree\nfour\n");
  }
}

TEST_F(TraceFileTest, AFileThatWasTakenAwayIsFollowedByAnotherPartWhenItIsMissed) {
  const auto file = started(least_trace_bytes);
  in_a_child(false, [&] { file->append(std::string(least_trace_bytes / 2, '#') + "\n#\n"); });
  std::filesystem::remove(path());
  file->append("one\n");
  EXPECT_EQ(content(), part_line(2) + "one\n");
}

TEST_F(TraceFileTest, WhoMovedItAwayHasTheRestInANewOne) {
  for (const std::uint64_t most_bytes : {std::uint64_t{unlimited}, least_trace_bytes}) {
    const std::string moved = path() + "-0";
    const auto file = started(most_bytes);
    file->append("one\n");
    std::filesystem::rename(path(), moved);
    file->append("two\n");
    file->reopen();
    EXPECT_EQ(content(), part_line(1));
    file->reopen();
    file->append("three\n");
    EXPECT_EQ(content_of(moved), first_line + "one\ntwo\n");
    EXPECT_EQ(content(), part_line(1) + "three\n");
  }
}

TEST_F(TraceFileTest, AllProcessesGoOnInTheNewOne) {
  const auto file = started();
  in_a_child(false, [&] {
    file->append("child\n");
    std::filesystem::rename(path(), path() + "-0");
    file->reopen();
    file->append("child again\n");
  });
  file->append("one\n");
  EXPECT_EQ(content_of(path() + "-0"), first_line + "child\n");
  EXPECT_EQ(content(), part_line(1) + "child again\none\n");
  // It was moved away again, and this process has not joined the part that was begun meanwhile.
  in_a_child(false, [&] {
    std::filesystem::rename(path(), path() + "-1");
    file->reopen();
    std::filesystem::rename(path(), path() + "-2");
  });
  file->append("two\n");
  EXPECT_EQ(content_of(path() + "-2"), part_line(2));
  EXPECT_EQ(content(), part_line(3) + "two\n");
}

TEST_F(TraceFileTest, AnotherFileInItsPlaceIsNotOverwritten) {
  std::string complaint;
  const auto file = TraceFile::open(path(), unlimited, [&](const std::string& line) { complaint = line; }).value();
  file->start(header);
  std::filesystem::rename(path(), path() + "-0");
  std::ofstream(path()) << "precious";
  file->reopen();
  EXPECT_EQ(complaint, "the trace does not go on in '" + path() +
                           "', but where it was: it is there already, and is not overwritten");
  file->append("one\n");
  EXPECT_EQ(content(), "precious");
  EXPECT_EQ(content_of(path() + "-0"), first_line + "one\n");
}

TEST_F(TraceFileTest, WhoDiesWhileItReopensLeavesThePartBeforeWhole) {
  const auto file = started();
  file->append("one\n");
  in_a_child(true, [&] {
    std::filesystem::rename(path(), path() + "-0");
    std::signal(SIGXFSZ, SIG_DFL);
    const rlimit limit{10, 10};
    setrlimit(RLIMIT_FSIZE, &limit);
    file->reopen();
  });
  file->append("two\n");
  EXPECT_EQ(content_of(path() + "-0"), first_line + "one\ntwo\n");
}

}  // namespace
}  // namespace antiphon
