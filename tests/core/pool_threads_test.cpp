#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <optional>
#include <thread>
#include <vector>

#include "core/bytes.hpp"
#include "core/handler.hpp"
#include "core/pool.hpp"
#include "tests/core/toy.hpp"

/// Each thread has its own free lists. What a thread kept is freed when it ends: LeakSanitizer sees if it is not.

namespace antiphon::toy {
namespace {

TEST(PoolThreads, EachThreadCountsItsOwn) {
  const std::ptrdiff_t before = pool::outstanding();
  const Bytes here = Bytes::copy_of("here");
  std::ptrdiff_t there = -1;
  std::thread([&] {
    const Bytes own = Bytes::copy_of("there");
    there = pool::outstanding();
  }).join();
  EXPECT_EQ(there, 1);
  EXPECT_EQ(pool::outstanding(), before + 1);
}

TEST(PoolThreads, ABlockGoesBackToTheThreadThatGivesItBack) {
  constexpr std::size_t size = 208;
  void* const block = pool::take(size);
  void* again = nullptr;
  std::thread([&] {
    pool::give_back(block, size);
    again = pool::take(size);
    pool::give_back(again, size);
  }).join();
  EXPECT_EQ(again, block);
}

TEST(PoolThreads, AThreadThatOnlyGivesBackFreesToo) {
  constexpr std::size_t size = 5000;
  std::array<void*, 100> blocks{};
  for (void*& block : blocks) block = pool::take(size);
  std::thread([&] {
    for (void* const block : blocks) pool::give_back(block, size);
    EXPECT_EQ(pool::outstanding(), -100);
  }).join();
}

TEST(PoolThreads, WhatOutlivesThePoolOfItsThreadIsFreed) {
  std::thread([] {
    thread_local std::optional<Bytes> kept;  // made before the pool is used, so destroyed after it
    kept.emplace();
    kept = Bytes::copy_of("until the thread ends");
  }).join();
}

TEST(PoolThreads, ThreadsRunProgramsSideBySide) {
  using Turn = Step<int, int>;
  std::array<int, 4> sums{};
  {
    std::vector<std::jthread> threads;
    threads.reserve(sums.size());
    for (int& sum : sums) {
      threads.emplace_back([&sum] {
        const auto program = iter(0, [](const int& state) {
          return Ask{} >> [state](const int& answer) {
            return ret(state >= 10'000 ? Turn{Break{state}} : Turn{Continue{state + answer}});
          };
        });
        sum = run(program, [](const Ask&) { return 1; });
      });
    }
  }
  EXPECT_EQ(sums, (std::array{10'000, 10'000, 10'000, 10'000}));
}

}  // namespace
}  // namespace antiphon::toy
