#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/pool.hpp"
#include "core/process.hpp"
#include "core/programs/echo.hpp"
#include "tests/heap.hpp"

/// In the steady state a program takes nothing from the heap.

namespace antiphon {
namespace {

/// Calls a function a few times, and tells how many allocations the calls after that take.
template <class Function>
std::int64_t allocations_in_the_steady_state(Function&& function) {
  for (int n = 0; n < 100; ++n) function();
  const std::int64_t before = heap_allocations();
  for (int n = 0; n < 10'000; ++n) function();
  return heap_allocations() - before;
}

/// A world with a client that sends for ever and takes half of what it is sent.
struct Exchange {
  Result<Bytes> operator()(const Recv& recv) const {
    const std::size_t size = std::min<std::size_t>(recv.at_most, 1000);
    return Bytes(Buffer::make(recv.at_most), size);
  }
  Result<std::size_t> operator()(const Send& send) const { return (send.bytes.size() + 1) / 2; }
  template <Instruction I>
  typename I::Response operator()(const I&) const {
    return {};
  }
};

template <class P>
void answer(P& process) {
  process.pending([&]<class I>(const I& instruction) {
    const typename I::Response response = Exchange()(instruction);
    process.template answer<I>(response);
  });
}

TEST(Heap, AMessageEchoedAllocatesNothing) {
  Process<Net, Unit> process(stream_session(SessionOptions())(Socket{4}));
  EXPECT_EQ(allocations_in_the_steady_state([&] { answer(process); }), 0);
}

TEST(Heap, AMessageEchoedWithIdentityAllocatesNothing) {
  Process<Net, Unit, Identified> process(stream_session(SessionOptions())(Socket{4}));
  EXPECT_EQ(allocations_in_the_steady_state([&] { answer(process); }), 0);
}

TEST(Heap, ACopyOfAProcessAllocatesNothing) {
  Process<Net, Unit> process(stream_session(SessionOptions())(Socket{4}));
  answer(process);
  const std::int64_t before = heap_allocations();
  const std::ptrdiff_t cells = pool::outstanding();
  const Process<Net, Unit> copy = process;
  EXPECT_EQ(heap_allocations(), before);
  EXPECT_EQ(pool::outstanding(), cells);
}

TEST(Heap, ASessionFromStartToEndAllocatesNothing) {
  EXPECT_EQ(allocations_in_the_steady_state([] {
              Process<Net, Unit> process(stream_session(SessionOptions())(Socket{4}));
              for (int n = 0; n < 5; ++n) answer(process);
              Process<Net, Unit> copy = process;
              answer(copy);
              answer(process);
            }),
            0);
}

TEST(HeapCanary, AnAllocationIsCounted) {
  EXPECT_EQ(allocations_in_the_steady_state([] { delete new volatile int(1); }), 10'000);
}

}  // namespace
}  // namespace antiphon
