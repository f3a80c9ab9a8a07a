#include "interpreters/trace_writer.hpp"

#include <gtest/gtest.h>

#include <map>
#include <thread>
#include <vector>

#include "tests/interpreters/scratch_trace.hpp"

namespace antiphon {
namespace {

class TraceOfWorkers : public ScratchTrace {};

/// The events of one worker's first process.
void work(TraceFile& file, std::uint32_t worker, std::uint32_t workers, std::uint64_t events) {
  TraceWriter writer(file, Payload::full, worker, workers);
  for (std::uint64_t number = 0; number < events; ++number) {
    writer.write({0, number, Issued{Exchange<Close>{{Socket{0}}, Unit{}}, {}}});
  }
}

TEST_F(TraceOfWorkers, IsInOrderForEachOverAllParts) {
  constexpr std::uint32_t workers = 4;
  constexpr std::uint64_t events = 3000;
  const auto file = TraceFile::open(path(), std::uint64_t{1} << 20U).value();
  TraceHeader of_workers = header;
  of_workers.workers = workers;
  file->start(of_workers);
  std::vector<std::thread> threads;
  threads.reserve(workers);
  for (std::uint32_t worker = 0; worker < workers; ++worker) {
    threads.emplace_back([&file, worker] { work(*file, worker, workers, events); });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_EQ(header_of(path()).part, 1U);
  // The reader demands that each process's events are in order.
  std::map<ProcessId, std::uint64_t> count;
  for (const ProcessEvent& event : events_of({older_path(), path()})) ++count[event.process];
  EXPECT_EQ(count.size(), workers);
  for (const auto& [process, seen] : count) EXPECT_EQ(seen, events) << process;
}

}  // namespace
}  // namespace antiphon
