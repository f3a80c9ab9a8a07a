#include "verify/same_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/programs/catalogue.hpp"
#include "core/rewrite.hpp"

namespace antiphon::verify {
namespace {

Server stream() {
  ProgramOptions options;
  options.session.at_most = 4;
  return *program_named("stream", options);
}

TEST(SameTree, OfEachServerAndItself) {
  for (const std::string_view one : program_names) {
    for (const std::string_view other : program_names) {
      EXPECT_EQ(same_tree(*program_named(one), *program_named(other)), one == other) << one << ' ' << other;
    }
  }
}

TEST(SameTree, AnOperandTellsThemApart) {
  ProgramOptions longer;
  longer.session.at_most = 5;
  EXPECT_FALSE(same_tree(stream(), *program_named("stream", longer)));
}

TEST(SameTree, WhatIsAnsweredMayBeSaidOtherwiseWhereNobodyAsks) {
  const Server renamed = replace<Sleep>(stream(), [](const Sleep& sleep) {
    return map(sleep, [](const Result<Unit>&) { return Result<Unit>(failed(Errno::INTR)); });
  });
  EXPECT_TRUE(same_tree(stream(), renamed));
  const Server mistaken = replace<Recv>(stream(), [](const Recv& recv) {
    return map(recv, [](const Result<Bytes>& got) { return got ? got : Result<Bytes>(failed(Errno::INTR)); });
  });
  EXPECT_FALSE(same_tree(stream(), mistaken));
}

/// What a dump does not tell apart: at each place the same is seen, in another order.
TEST(SameTree, TheOrderOfWhatALoopCountsThroughCounts) {
  const Server slower = replace<Sleep>(stream(), [](Sleep sleep) {
    if (sleep.wait_ms == 10) sleep.wait_ms = 20;
    return sleep;
  });
  EXPECT_FALSE(same_tree(stream(), slower));
}

/// Sends the one or the other of two messages.
Server sends_one_of_two(bool first) {
  return OpenSocket{} >> [=](const Result<Socket>& opened) -> Server {
    if (!opened) return ret(Result<Unit>());
    const Socket socket = *opened;
    return Recv{socket, 4, {}} >> [=](const Result<Bytes>& one) -> Server {
      return Recv{socket, 4, {}} >> [=](const Result<Bytes>& other) -> Server {
        const Result<Bytes>& chosen = first ? one : other;
        if (!one || !other) return ret(Result<Unit>());
        return Send{socket, *chosen, {}} >> [](const Result<std::size_t>&) { return ret(Result<Unit>()); };
      };
    };
  };
}

TEST(SameTree, NoMessageIsTakenForAnother) {
  EXPECT_TRUE(same_tree(sends_one_of_two(true), sends_one_of_two(true)));
  EXPECT_FALSE(same_tree(sends_one_of_two(true), sends_one_of_two(false)));
}

TEST(SameTree, ALookAtContentProvesNothing) {
  const Server curious = Recv{Socket{0}, 4, {}} >> [](const Result<Bytes>& got) {
    return ret(Result<Unit>(got && got->view() == "x" ? Result<Unit>(failed(Errno::IO)) : Result<Unit>()));
  };
  EXPECT_FALSE(same_tree(curious, curious));
}

TEST(SameTree, TooManyStatesProveNothing) {
  EXPECT_TRUE(same_tree(stream(), stream()));
  EXPECT_FALSE(same_tree(stream(), stream(), 100));
}

TEST(SameTree, TheResultCounts) {
  const auto ends = [](const Result<Unit>& result) {
    return Sleep{1} >> [=](const Result<Unit>&) { return ret(result); };
  };
  EXPECT_FALSE(same_tree(ends(Unit{}), ends(failed(Errno::IO))));
  EXPECT_FALSE(same_tree(ends(failed(Errno::INTR)), ends(failed(Errno::IO))));
  EXPECT_TRUE(same_tree(ends(failed(Errno::IO)), ends(failed(Errno::IO))));
}

}  // namespace
}  // namespace antiphon::verify
