#include "interpreters/recording.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "core/program.hpp"

namespace antiphon {
namespace {

/// Keeps what it is told, and where it was flushed.
class Memory final : public TraceSink {
 public:
  ProcessId next_process() override { return ++last; }
  void give_back(ProcessId process) override {
    if (process == last) --last;
  }
  void write(const ProcessEvent& event) override { events.push_back(event); }
  void flush() override { flushed_at.push_back(events.size()); }

  std::vector<ProcessEvent> events;
  std::vector<std::size_t> flushed_at;
  ProcessId last = 0;
};

/// Answers Accept with Socket 1, Sleep with EINTR, and Fork as it was told to.
struct Scripted {
  std::deque<Result<Forked>> forks;

  Result<Socket> operator()(const Accept&) { return Socket{1}; }
  Result<Unit> operator()(const Sleep&) { return failed(Errno::INTR); }
  Result<Forked> operator()(const Fork&) {
    const Result<Forked> answer = forks.front();
    forks.pop_front();
    return answer;
  }
};

ProcessEvent issued(ProcessId process, std::uint64_t number, AnyExchange<Net> exchange,
                    std::optional<ProcessId> child = {}) {
  return {process, number, Issued{std::move(exchange), child}};
}

using Recorded = Recording<Scripted>;
static_assert(Handles<Recorded, Accept> && Handles<Recorded, Fork>);
static_assert(!Handles<Recorded, Recv>, "it gives a meaning to nothing that the handler does not know");

TEST(Recording, ReportsEachExchangeAndTheEnd) {
  Scripted handler;
  Memory sink;
  Recording recording(handler, sink);
  const auto program = Accept{Socket{0}} >> [](const Result<Socket>&) {
    return Sleep{5} >> [](const Result<Unit>& slept) { return ret(slept); };
  };
  const Result<Unit> result = run(program, recording);
  EXPECT_EQ(result, failed(Errno::INTR));
  recording.finish(result);
  const std::vector<ProcessEvent> expected{
      issued(0, 0, Exchange<Accept>{{Socket{0}}, Socket{1}}),
      issued(0, 1, Exchange<Sleep>{{5}, failed(Errno::INTR)}),
      ProcessEvent{0, 2, Ended{failed(Errno::INTR)}},
  };
  EXPECT_EQ(sink.events, expected);
  EXPECT_EQ(sink.flushed_at.back(), 3U);
}

TEST(Recording, TheParentNamesItsChild) {
  Scripted handler{{Parent{Pid{70}}, Parent{Pid{71}}}};
  Memory sink;
  Recording recording(handler, sink);
  EXPECT_EQ(recording(Fork{}), Forked(Parent{Pid{70}}));
  EXPECT_EQ(recording(Fork{3}), Forked(Parent{Pid{71}}));
  const std::vector<ProcessEvent> expected{
      issued(0, 0, Exchange<Fork>{{}, Forked(Parent{Pid{70}})}, 1),
      issued(0, 1, Exchange<Fork>{{3}, Forked(Parent{Pid{71}})}, 2),
  };
  EXPECT_EQ(sink.events, expected);
}

TEST(Recording, TheChildGoesOnAsANewProcess) {
  Scripted handler{{Parent{Pid{70}}, Child{}}};
  Memory sink;
  Recording recording(handler, sink);
  recording(Fork{});
  sink.events.clear();
  EXPECT_EQ(recording(Fork{}), Forked(Child{}));
  recording(Accept{Socket{0}});
  recording.finish({});
  const std::vector<ProcessEvent> expected{
      issued(2, 0, Exchange<Fork>{{}, Forked(Child{})}),
      issued(2, 1, Exchange<Accept>{{Socket{0}}, Socket{1}}),
      ProcessEvent{2, 2, Ended{}},
  };
  EXPECT_EQ(sink.events, expected);
}

TEST(Recording, AFailedForkUsesNoNumber) {
  Scripted handler{{failed(Errno::AGAIN), Parent{Pid{70}}}};
  Memory sink;
  Recording recording(handler, sink);
  recording(Fork{});
  recording(Fork{});
  const std::vector<ProcessEvent> expected{
      issued(0, 0, Exchange<Fork>{{}, failed(Errno::AGAIN)}),
      issued(0, 1, Exchange<Fork>{{}, Forked(Parent{Pid{70}})}, 1),
  };
  EXPECT_EQ(sink.events, expected);
}

TEST(Recording, FlushesBeforeAFork) {
  Scripted handler{{Parent{Pid{70}}}};
  Memory sink;
  Recording recording(handler, sink);
  recording(Accept{Socket{0}});
  EXPECT_TRUE(sink.flushed_at.empty());
  recording(Fork{});
  EXPECT_EQ(sink.flushed_at, std::vector<std::size_t>{1});
}

}  // namespace
}  // namespace antiphon
