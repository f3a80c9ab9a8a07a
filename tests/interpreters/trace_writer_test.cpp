#include "interpreters/trace_writer.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "interpreters/fork.hpp"
#include "tests/heap.hpp"
#include "tests/interpreters/scratch_trace.hpp"

namespace antiphon {
namespace {

const ProcessEvent slept{0, 0, Issued{Exchange<Sleep>{{5}, Unit{}}, {}}};
const ProcessEvent closed{0, 1, Issued{Exchange<Close>{{Socket{0}}, Unit{}}, {}}};

class TraceWriterTest : public ScratchTrace {};

TEST_F(TraceWriterTest, HoldsAllBackUntilTheFileHasStarted) {
  const auto file = TraceFile::open(path()).value();
  TraceWriter writer(*file);
  writer.write(slept);
  writer.write(closed);
  EXPECT_EQ(content(), "");
  file->start(header);
  writer.flush();
  EXPECT_EQ(content(), first_line + event_line(slept) + '\n' + event_line(closed) + '\n');
}

TEST_F(TraceWriterTest, HoldsBackUntilAClientComesOrGoesOrTheEnd) {
  const auto file = TraceFile::open(path()).value();
  file->start(header);
  std::string expected = first_line;
  const ProcessEvent accepted{0, 1, Issued{Exchange<Accept>{{Socket{0}}, Socket{1}}, {}}};
  const ProcessEvent ended{0, 1, Ended{Unit{}}};
  {
    TraceWriter writer(*file);
    for (const ProcessEvent& due : {accepted, closed, ended}) {
      writer.write(slept);
      EXPECT_EQ(content(), expected);
      writer.write(due);
      expected += event_line(slept) + '\n' + event_line(due) + '\n';
      EXPECT_EQ(content(), expected);
    }
    writer.write(slept);
  }
  EXPECT_EQ(content(), expected + event_line(slept) + '\n');
}

TEST_F(TraceWriterTest, WithoutMemoryTheTraceEndsWithAWholeLine) {
  bool failed = true;
  int ended = 0;
  for (std::int64_t nth = 1; failed; ++nth) {
    int complaints = 0;
    // (Bounded, it needs more.)
    const auto file = TraceFile::open(path(), least_trace_bytes, [&](const std::string&) { ++complaints; }).value();
    file->start(header);
    {
      TraceWriter writer(*file);
      scarce_heap::fail(nth, nth);
      for (int time = 0; time < 300; ++time) {
        writer.write(slept);
        writer.write(closed);
      }
      failed = scarce_heap::recover() > 0;
    }
    ended += complaints;
    ASSERT_EQ(complaints, failed ? 1 : 0) << "allocation " << nth;
    ASSERT_EQ(file->has_given_up(), failed) << "allocation " << nth;
    const std::string left = content();
    ASSERT_TRUE(left.empty() || left.back() == '\n') << "allocation " << nth;
  }
  EXPECT_GT(ended, 0);
}

TEST_F(TraceWriterTest, HoldsBackSoMuchAndNoMore) {
  const auto file = TraceFile::open(path()).value();
  file->start(header);
  TraceWriter writer(*file);
  for (int event = 0; event < 10'000; ++event) {
    const auto before = std::filesystem::file_size(path());
    writer.write(slept);
    const auto written = std::filesystem::file_size(path()) - before;
    if (written != 0) {
      EXPECT_GE(written, 65'536U);
      EXPECT_LT(written, 65'536U + event_line(slept).size() + 1);
      return;
    }
  }
  FAIL() << "nothing was written";
}

TEST_F(TraceWriterTest, GivesEachProcessItsNumber) {
  const auto file = TraceFile::open(path()).value();
  TraceWriter writer(*file);
  EXPECT_EQ(writer.next_process(), 1U);
  EXPECT_EQ(writer.next_process(), 2U);
  writer.give_back(2);
  EXPECT_EQ(writer.next_process(), 2U);
  writer.next_process();
  writer.give_back(2);
  EXPECT_EQ(writer.next_process(), 4U);
}

TEST_F(TraceWriterTest, ProcessesOfSeveralWorkersHaveNumbersOfTheirOwn) {
  TraceHeader of_three = header;
  of_three.workers = 3;
  const auto file = TraceFile::open(path()).value();
  file->start(of_three);
  TraceWriter first(*file, Payload::full, 0, 3);
  TraceWriter last(*file, Payload::full, 2, 3);
  const ProcessEvent forks{0, 1, Issued{Exchange<Fork>{{}, Forked(Parent{Pid{2}})}, 1}};
  const ProcessEvent born{1, 0, Issued{Exchange<Fork>{{}, Forked(Child{})}, {}}};
  for (TraceWriter* const writer : {&first, &last}) {
    for (const ProcessEvent& event : {slept, forks, born}) writer->write(event);
    writer->flush();
  }
  const auto events = events_of({path()});
  ASSERT_EQ(events.size(), 6U);
  EXPECT_EQ(events[1].process, 0U);
  EXPECT_EQ(std::get<Issued>(events[1].what).child, 3U);
  EXPECT_EQ(events[2].process, 3U);
  EXPECT_EQ(events[4].process, 2U);
  EXPECT_EQ(std::get<Issued>(events[4].what).child, 5U);
  EXPECT_EQ(events[5].process, 5U);
  EXPECT_EQ(events[5].what, born.what);
}

TEST_F(TraceWriterTest, ProcessesOfOneRunShareTheFile) {
  constexpr int children = 8;
  constexpr int events = 2000;
  const auto file = TraceFile::open(path()).value();
  file->start(header);
  TraceWriter writer(*file);
  ForkHandler handler;
  Recording recording(handler, writer);
  for (int child = 0; child < children; ++child) {
    const Forked forked = recording(Fork{}).value();
    if (std::holds_alternative<Parent>(forked)) continue;
    for (int event = 0; event < events; ++event) recording(Sleep{0});
    recording.finish({});
    std::_Exit(0);
  }
  EXPECT_EQ(handler.await_children(60'000), 0);
  recording.finish({});

  EXPECT_EQ(header_of(path()), header);
  std::map<ProcessId, int> count;
  for (const ProcessEvent& event : events_of({path()})) ++count[event.process];
  EXPECT_EQ(count[0], children + 1);
  for (ProcessId child = 1; child <= children; ++child) EXPECT_EQ(count[child], events + 2);
}

}  // namespace
}  // namespace antiphon
