#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include "core/handler.hpp"
#include "core/pool.hpp"
#include "core/process.hpp"
#include "core/program.hpp"
#include "tests/core/small_stack.hpp"
#include "tests/core/toy.hpp"
#include "tests/heap.hpp"

/// Long and deep programs are made, run, copied and destroyed in a constant C++ stack, and long ones in constant
/// memory.

namespace antiphon::toy {
namespace {

constexpr int million = 1'000'000;
constexpr int ten_million = 10 * million;

/// This process's resident memory, without what the heap keeps for later.
std::size_t resident_bytes() {
  malloc_trim(0);
  std::ifstream statm("/proc/self/statm");
  std::size_t pages = 0;
  statm >> pages >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// What a function took: resident memory still there after it, and how often it asked the heap.
struct Taken {
  std::size_t resident = 0;
  std::int64_t from_heap = 0;
};

template <class Function>
Taken taken_by(Function&& function) {
  const std::size_t resident = resident_bytes();
  const std::int64_t from_heap = heap_allocations();
  function();
  const std::size_t now = resident_bytes();
  return {now > resident ? now - resident : 0, heap_allocations() - from_heap};
}

constexpr std::size_t flat = std::size_t{2} * 1024 * 1024;

/// Every number told is added up.
struct Adder {
  long long sum = 0;
  Unit operator()(const Tell& tell) {
    sum += tell.what;
    return {};
  }
  int operator()(const Ask&) { return 1; }
  bool operator()(const Choose&) { return true; }
};

using Numbers = Program<Toy, int>;

/// The result after so many steps, each answered with 1; none if the program is not over by then.
template <class P>
std::optional<int> result_after(P process, int steps) {
  for (int n = 0; n < steps && !process.finished(); ++n) {
    process.pending([&]<class I>(const I& instruction) { process.template answer<I>(response_to(instruction, 1)); });
  }
  return process.finished() ? std::optional(process.result()) : std::nullopt;
}

// -- Long -------------------------------------------------------------------------------------------------------

/// Tells 1 so many times.
Numbers tell_often(int times) {
  using Turn = Step<int, int>;
  return iter(0, [times](const int& turn) -> Program<Toy, Turn> {
    if (turn == times) return ret(Turn{Break{turn}});
    return Tell{1} >> ret(Turn{Continue{turn + 1}});
  });
}

TEST(Scale, TenMillionTurnsInConstantMemory) {
  long long sum = 0;
  Taken taken;
  std::ptrdiff_t kept = -1;
  on_small_stack([&] {
    Adder adder;
    taken = taken_by([&] { static_cast<void>(run(tell_often(ten_million), adder)); });
    sum = adder.sum;
    kept = pool::outstanding();
  });
  EXPECT_EQ(sum, ten_million);
  EXPECT_LT(taken.resident, flat);
  EXPECT_LT(taken.from_heap, 20);
  EXPECT_EQ(kept, 0);
}

TEST(Scale, TenMillionTurnsThatIssueNothing) {
  std::optional<int> result;
  on_small_stack([&] {
    using Turn = Step<int, int>;
    const Numbers silent = iter(
        0, [](const int& turn) { return ret(turn == ten_million ? Turn{Break{turn}} : Turn{Continue{turn + 1}}); });
    result = result_after(Process(silent), 0);
  });
  EXPECT_EQ(result, ten_million);
}

TEST(Scale, AMillionTurnsWithIdentity) {
  std::optional<int> result;
  std::ptrdiff_t kept = -1;
  on_small_stack([&] {
    result = result_after(Process<Toy, int, Identified>(tell_often(million)), million);
    kept = pool::outstanding();
  });
  EXPECT_EQ(result, million);
  EXPECT_EQ(kept, 0);
}

Numbers tell_and_call_again(int left) {
  return Tell{1} >> [left](const Unit&) -> Numbers {
    if (left == 0) return ret(7);
    return tell_and_call_again(left - 1);
  };
}

TEST(Scale, AMillionRecursiveCallsInConstantMemory) {
  std::optional<int> result;
  Taken taken;
  on_small_stack(
      [&] { taken = taken_by([&] { result = result_after(Process(tell_and_call_again(million)), 2 * million); }); });
  EXPECT_EQ(result, 7);
  EXPECT_LT(taken.resident, flat);
  EXPECT_LT(taken.from_heap, 20);
}

// -- Deep -------------------------------------------------------------------------------------------------------

/// ((Ask >> k) >> k) >> k …
Numbers left_nested(int depth) {
  Numbers program = Ask{};
  for (int n = 0; n < depth; ++n) {
    program = std::move(program) >> [](const int& x) { return ret(x + 1); };
  }
  return program;
}

/// Tell >> (Tell >> (Tell >> …))
Numbers right_nested(int depth) {
  Numbers program = ret(5);
  for (int n = 0; n < depth; ++n) program = Tell{1} >> std::move(program);
  return program;
}

/// A loop whose turn is a loop whose turn is …
Numbers nested_loops(int depth) {
  using Turn = Step<int, int>;
  Numbers program = Ask{};
  for (int n = 0; n < depth; ++n) {
    program = iter(
        0, [inner = std::move(program)](const int&) { return map(inner, [](int x) { return Turn{Break{x + 1}}; }); });
  }
  return program;
}

/// Makes a deep program; destroys it unrun; runs it; starts it, copies the process, and destroys one copy standing
/// there while the other goes on. Answers what the runs ended with.
template <class Identity = Anonymous>
std::vector<std::optional<int>> put_through_everything(Numbers (*make)(int depth), int steps) {
  std::vector<std::optional<int>> results;
  std::ptrdiff_t kept = -1;
  on_small_stack([&] {
    {
      const Numbers unrun = make(million);
    }
    {
      const Numbers program = make(million);
      const Numbers same = program;
      Process<Toy, int, Identity> process(same);
      results.push_back(result_after(process, steps));
      std::optional copy = process;
      results.push_back(result_after(std::move(process), steps));
      copy.reset();
    }
    kept = pool::outstanding();
  });
  EXPECT_EQ(kept, 0);
  return results;
}

using Results = std::vector<std::optional<int>>;

TEST(Scale, AMillionBindsNestedToTheLeft) {
  EXPECT_EQ(put_through_everything(left_nested, 1), (Results{million + 1, million + 1}));
}

TEST(Scale, AMillionBindsNestedToTheRight) {
  EXPECT_EQ(put_through_everything(right_nested, million), (Results{5, 5}));
}

TEST(Scale, AMillionLoopsInEachOther) {
  EXPECT_EQ(put_through_everything(nested_loops, 1), (Results{million + 1, million + 1}));
}

TEST(Scale, DeepProgramsWithIdentity) {
  EXPECT_EQ(put_through_everything<Identified>(left_nested, 1), (Results{million + 1, million + 1}));
  EXPECT_EQ(put_through_everything<Identified>(nested_loops, 1), (Results{million + 1, million + 1}));
}

TEST(Scale, LeftAndRightNestingCostTheSame) {
  const auto cells_of = [](Numbers (*make)(int)) {
    std::ptrdiff_t cells = 0;
    on_small_stack([&] {
      const Numbers program = make(1000);
      cells = pool::outstanding();
    });
    return cells;
  };
  EXPECT_EQ(cells_of(left_nested), 1001);
  EXPECT_EQ(cells_of(right_nested), 1001 + 1000);  // sequencing keeps the instruction and the bind apart
}

// -- The measures work ------------------------------------------------------------------------------------------

TEST(ScaleCanary, WhatIsKeptShowsInMemory) {
  Taken taken;
  std::ptrdiff_t kept = 0;
  on_small_stack([&] {
    std::vector<Process<Toy, int>> all;
    taken = taken_by([&] {
      for (int n = 0; n < 100'000; ++n) all.emplace_back(left_nested(10));
    });
    kept = pool::outstanding();
  });
  EXPECT_GT(taken.resident, flat);
  EXPECT_GT(taken.from_heap, 100'000);
  EXPECT_GT(kept, 100'000);
}

/// Not a tail call: each level waits for the one below.
int depth_of(volatile int* left) {
  if (*left == 0) return 0;
  *left = *left - 1;
  const int below = depth_of(left);
  return below + (*left == 0 ? 1 : 2);
}

TEST(ScaleCanaryDeathTest, RecursionOverflowsTheSmallStack) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(on_small_stack([] {
                 volatile int left = million;
                 static_cast<void>(depth_of(&left));
               }),
               "");
}

}  // namespace
}  // namespace antiphon::toy
