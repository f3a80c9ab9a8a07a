#include "apps/meter.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/program.hpp"

namespace antiphon {
namespace {

kernel::Nanoseconds time_at_sends = 0;

/// A meter on a board, told of exchanges at times that the test chooses.
struct MeterTest : testing::Test {
  template <Instruction I>
  void see(ProcessId process, const I& instruction, const typename I::Response& response) {
    meter.saw(process, ExchangeRef<I>{instruction, response}, known);
  }
  void accept(ProcessId process, int socket) { see(process, Accept{Socket{0}}, Socket{socket}); }
  void recv(ProcessId process, int socket, std::size_t size) {
    see(process, Recv{Socket{socket}, 100, {}}, Bytes::copy_of(std::string(size, 'x')));
  }
  void send(ProcessId process, int socket, std::size_t size, std::size_t sent) {
    see(process, Send{Socket{socket}, Bytes::copy_of(std::string(size, 'x')), {}}, sent);
  }
  void fork_child(ProcessId parent, ProcessId child) {
    see(parent, Fork{}, Forked(Parent{Pid{9}}));
    meter.forked(parent, child);
    see(child, Fork{}, Forked(Child{}));
  }
  /// How many I answered that.
  template <Instruction I>
  [[nodiscard]] std::uint64_t answered(std::size_t result) const {
    return slot.instructions[result][instruction_kind<I>];
  }

  MetricsBoard board{1};
  MetricsSlot& slot = board.slot(0);
  int arrivals = 0;
  Meter meter{slot, Meter::Writers::one, [this] { ++arrivals; }, [] { return time_at_sends; }};
  kernel::Nanoseconds known = 0;
};

/// How many were measured, and where the only one of them is.
template <class Histogram>
std::pair<std::uint64_t, std::size_t> only_class(const Histogram& histogram) {
  std::uint64_t all = 0;
  std::size_t last = 0;
  for (std::size_t at = 0; at < histogram.classes.size(); ++at) {
    all += histogram.classes[at];
    if (histogram.classes[at] != 0) last = at;
  }
  return {all, last};
}

TEST_F(MeterTest, CountsAConnectionFromItsAcceptToItsClose) {
  known = 1'000;
  accept(0, 1);
  fork_child(0, 5);
  see(0, Close{Socket{1}}, Unit{});
  EXPECT_EQ(slot.accepted, 1);
  EXPECT_EQ(arrivals, 1);
  EXPECT_EQ(slot.ended, 0) << "the parent let go of what the child serves";
  known = 5'000'000;
  see(5, Close{Socket{1}}, Unit{});
  EXPECT_EQ(slot.ended, 1);
  EXPECT_EQ(slot.refused, 0);
  EXPECT_EQ(only_class(slot.duration), std::pair(std::uint64_t{1}, ConnectionDuration::class_of(4'999'000)));
  EXPECT_EQ(slot.duration.sum_ns, 4'999'000);
  meter.ended(5, Unit{}, known);
  EXPECT_EQ(slot.ended, 1);
  EXPECT_EQ(slot.failed_processes, 0);
}

TEST_F(MeterTest, AProcessThatEndsClosesWhatItHolds) {
  accept(0, 1);
  fork_child(0, 5);
  meter.ended(5, failed(Errno::CONNRESET), 10);
  EXPECT_EQ(slot.ended, 1);
  EXPECT_EQ(slot.failed_processes, 1);
}

TEST_F(MeterTest, ACopyInTheChildFollowsWhatTheParentHandsOver) {
  accept(0, 1);
  see(0, Fork{}, Forked(Child{}));
  Meter parent = meter;
  parent.forked(0, std::nullopt);
  parent.saw(0, ExchangeRef<Close>{Close{Socket{1}}, Result<Unit>()}, 0);
  EXPECT_EQ(slot.ended, 0);
  see(0, Close{Socket{1}}, Unit{});
  EXPECT_EQ(slot.ended, 1);
}

TEST_F(MeterTest, WithoutAProcessAClientIsRefused) {
  accept(0, 1);
  see(0, Fork{3}, failed(Errno::AGAIN));
  see(0, Close{Socket{1}}, Unit{});
  EXPECT_EQ(slot.accepted, 1);
  EXPECT_EQ(slot.refused, 1);
  EXPECT_EQ(slot.ended, 0);
  EXPECT_EQ(only_class(slot.duration).first, 0);
  EXPECT_EQ(answered<Fork>(result_kind(Errno::AGAIN)), 1);
}

TEST_F(MeterTest, CountsInstructionsByWhatTheyAnswer) {
  recv(7, 1, 3);
  recv(7, 1, 0);
  see(7, Recv{Socket{1}, 100, {}}, failed(Errno::CONNRESET));
  see(7, Recv{Socket{1}, 100, {}}, failed(Errno::EXPIRED));
  see(7, Sleep{5}, failed(Errno::STOPPING));
  EXPECT_EQ(answered<Recv>(0), 2);
  EXPECT_EQ(answered<Recv>(result_kind(Errno::CONNRESET)), 1);
  EXPECT_EQ(answered<Recv>(result_kind(Errno::EXPIRED)), 1);
  EXPECT_EQ(answered<Sleep>(result_kind(Errno::STOPPING)), 1);
  EXPECT_EQ(answered<Send>(0), 0);
  EXPECT_EQ(slot.received_bytes, 3);
}

TEST_F(MeterTest, LatencyIsFromTheFirstBytesOwedToTheSendOfTheLast) {
  accept(5, 1);
  known = 10'000;
  recv(5, 1, 10);
  known = 20'000;
  recv(5, 1, 5);
  time_at_sends = 30'000;
  send(5, 1, 15, 14);
  EXPECT_EQ(only_class(slot.latency).first, 0) << "one byte is still owed";
  send(5, 1, 1, 1);
  EXPECT_EQ(only_class(slot.latency), std::pair(std::uint64_t{1}, EchoLatency::class_of(20'000)));
  EXPECT_EQ(slot.latency.sum_ns, 20'000);
  EXPECT_EQ(slot.received_bytes, 15);
  EXPECT_EQ(slot.sent_bytes, 15);
  // The next Recv in the same turn begins where that Send ended, though the loop has not looked at the clock again.
  recv(5, 1, 1);
  time_at_sends = 30'900;
  send(5, 1, 1, 1);
  EXPECT_EQ(slot.latency.sum_ns, 20'900);
  EXPECT_EQ(slot.latency.classes[0], 1);
}

TEST_F(MeterTest, WhatIsSentWithoutBeingOwedHasNoLatency) {
  accept(5, 1);
  send(5, 1, 4, 4);
  send(5, 2, 4, 4);
  EXPECT_EQ(slot.sent_bytes, 8);
  EXPECT_EQ(only_class(slot.latency).first, 0);
}

TEST_F(MeterTest, OneProcessCanHoldSeveralConnections) {
  accept(0, 1);
  accept(0, 2);
  accept(0, 3);
  see(0, Close{Socket{2}}, failed(Errno::IO));
  EXPECT_EQ(slot.ended, 1) << "the name is free whatever Close answers";
  fork_child(0, 4);
  meter.ended(4, Unit{}, 0);
  EXPECT_EQ(slot.ended, 3);
}

}  // namespace
}  // namespace antiphon
