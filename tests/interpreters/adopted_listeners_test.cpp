#include "interpreters/adopted_listeners.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

namespace antiphon {
namespace {

const Endpoint anywhere{"127.0.0.1", 0};

struct Listener {
  kernel::Descriptor descriptor;
  Endpoint at;
};

Listener listener() {
  auto opened = kernel::open_socket(anywhere);
  const Endpoint at = kernel::listen_at(opened->number(), 5).value();
  return {*std::move(opened), at};
}

kernel::Descriptor duplicate(const kernel::Descriptor& descriptor) {
  return kernel::Descriptor(dup(descriptor.number()));
}

std::uint64_t cookie_of(const kernel::Descriptor& descriptor) { return kernel::cookie_of(descriptor.number()); }

TEST(AdoptedListeners, AnswerWithWhatIsBoundThereAndWithNothingElse) {
  AdoptedListeners adopted;
  Listener one = listener();
  const Listener other = listener();
  const std::uint64_t cookie = cookie_of(one.descriptor);
  ASSERT_EQ(adopted.add(std::move(one.descriptor)), std::nullopt);
  EXPECT_EQ(adopted.addresses(), std::vector{one.at});
  EXPECT_FALSE(adopted.take(other.at, false).has_value());
  EXPECT_FALSE(adopted.take(anywhere, false).has_value());
  const auto taken = adopted.take(one.at, false);
  ASSERT_TRUE(taken && *taken);
  EXPECT_EQ(cookie_of(**taken), cookie);
  EXPECT_EQ(fcntl((*taken)->number(), F_GETFD), FD_CLOEXEC);
}

TEST(AdoptedListeners, AreDealtOutInTurn) {
  AdoptedListeners adopted;
  const auto first = kernel::open_socket(anywhere, kernel::Sharing::first);
  const Endpoint at = kernel::listen_at(first->number(), 5).value();
  const auto second = kernel::open_socket(at, kernel::Sharing::joins);
  ASSERT_TRUE(kernel::listen_at(second->number(), 5));
  for (const auto* const one : {&*first, &*second, &*first}) {
    EXPECT_EQ(adopted.add(duplicate(*one)), std::nullopt);
  }
  // One that came in twice is one.
  EXPECT_EQ(adopted.count_at(at), 2U);
  std::multiset<std::uint64_t> dealt;
  for (int taker = 0; taker < 4; ++taker) dealt.insert(cookie_of(**adopted.take(at, false)));
  EXPECT_EQ(dealt.count(cookie_of(*first)), 2U);
  EXPECT_EQ(dealt.count(cookie_of(*second)), 2U);
}

TEST(AdoptedListeners, BlockAsTheirTakerNeedsThem) {
  AdoptedListeners adopted;
  Listener one = listener();
  ASSERT_EQ(adopted.add(std::move(one.descriptor)), std::nullopt);
  for (const bool blocks : {true, false, true}) {
    const auto taken = adopted.take(one.at, blocks);
    EXPECT_EQ((fcntl((*taken)->number(), F_GETFL) & O_NONBLOCK) == 0, blocks);
    // Nobody is there, and whoever has it still is not held up.
    EXPECT_EQ(kernel::accept_client((*taken)->number()).error(), Errno::AGAIN);
  }
}

TEST(AdoptedListeners, AreNotHeldOnceTheyAreLetGo) {
  AdoptedListeners adopted;
  Listener one = listener();
  ASSERT_EQ(adopted.add(std::move(one.descriptor)), std::nullopt);
  {
    const auto taken = adopted.take(one.at, false);
    adopted.let_go();
    EXPECT_EQ(kernel::open_socket(one.at).error(), Errno::ADDRINUSE);
    EXPECT_EQ(adopted.take(one.at, false)->error(), Errno::BADF);
  }
  EXPECT_TRUE(kernel::open_socket(one.at));
}

TEST(AdoptedListeners, WhatIsNoListenerIsRefusedWithAReason) {
  AdoptedListeners adopted;
  EXPECT_EQ(adopted.add(kernel::Descriptor(1'000'000)), "it is not open");
  EXPECT_EQ(adopted.add(kernel::Descriptor(open("/dev/null", O_RDONLY))), "it is no socket");
  EXPECT_EQ(adopted.add(*kernel::open_socket(anywhere)), "it is no listening stream socket");
  EXPECT_TRUE(adopted.addresses().empty());
}

}  // namespace
}  // namespace antiphon
