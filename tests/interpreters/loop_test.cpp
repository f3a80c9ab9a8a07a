#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "interpreters/event_loop.hpp"
#include "interpreters/loop/slots.hpp"
#include "interpreters/loop/spin.hpp"
#include "interpreters/loop/timers.hpp"
#include "interpreters/socket_table.hpp"
#include "tests/rapidcheck.hpp"

/// The parts that event loops are made of, each against a model that is plainly right.

namespace antiphon::loop {
namespace {

// -- Timers ------------------------------------------------------------------------------------------------------

struct Timed {
  std::uint32_t timer = no_place;
};

enum class TimerMove : std::uint8_t { set, remove, take_due };

TEST(Timers, TellWhatASortedListTells) {
  EXPECT_TRUE(holds([](const std::vector<std::tuple<std::uint8_t, std::uint8_t, std::uint8_t>>& moves) {
    std::array<Timed, 12> tasks;
    Timers<Timed> timers;
    std::map<Timed*, std::int64_t> model;
    const auto earliest = [&] {
      std::int64_t at = kernel::never;
      for (const auto& [task, its] : model) at = std::min(at, its);
      return at;
    };
    for (const auto& [kind, which, at] : moves) {
      Timed& task = tasks[which % tasks.size()];
      switch (static_cast<TimerMove>(kind % 3)) {
        case TimerMove::set:
          timers.set(task, at);
          // To be looked at too early does no harm; too late would.
          model[&task] = model.contains(&task) ? std::min<std::int64_t>(model[&task], at) : at;
          break;
        case TimerMove::remove:
          timers.remove(task);
          model.erase(&task);
          break;
        case TimerMove::take_due: {
          const bool is_due = earliest() <= at;
          Timed* const due = timers.take_due(at);
          RC_ASSERT((due != nullptr) == is_due);
          if (due == nullptr) break;
          RC_ASSERT(model.at(due) == earliest());
          RC_ASSERT(due->timer == no_place);
          model.erase(due);
          break;
        }
      }
      RC_ASSERT(timers.next() == earliest());
    }
    std::int64_t before = 0;
    while (Timed* const due = timers.take_due(kernel::never - 1)) {
      RC_ASSERT(model.at(due) >= before);
      before = model.at(due);
      model.erase(due);
    }
    RC_ASSERT(model.empty());
  }));
}

TEST(Timers, NothingIsDueWhereNothingIsSet) {
  Timers<Timed> timers;
  EXPECT_EQ(timers.next(), kernel::never);
  EXPECT_EQ(timers.take_due(kernel::never), nullptr);
  Timed task;
  timers.remove(task);
  EXPECT_EQ(task.timer, no_place);
}

// -- Slots -------------------------------------------------------------------------------------------------------

/// Receives the text into a free slot.
Bytes received(Slots& slots, std::string_view text) {
  const std::uint32_t number = slots.free().back();
  slots.free().pop_back();
  std::memcpy(slots.memory(number), text.data(), text.size());
  return slots.filled(number, text.size());
}

TEST(Slots, ASlotComesBackWhenNobodyHoldsIt) {
  Slots slots(2);
  std::optional<Bytes> first = received(slots, "first");
  const Bytes second = received(slots, "second");
  EXPECT_TRUE(slots.free().empty());
  const std::byte* const memory = first->buffer()->data;
  std::optional<Bytes> part = first->drop(2);
  first.reset();
  EXPECT_TRUE(slots.free().empty());
  EXPECT_EQ(part->content(), "rst");
  part.reset();
  ASSERT_EQ(slots.free().size(), 1U);
  EXPECT_EQ(slots.memory(slots.free().back()), memory);
  EXPECT_EQ(received(slots, "again").content(), "again");
  EXPECT_EQ(second.content(), "second");
}

TEST(Slots, TheLastToComeBackIsTheNextToGo) {
  Slots slots(3);
  std::vector<Bytes> held{received(slots, "a"), received(slots, "b"), received(slots, "c")};
  const std::byte* const memory = held[1].buffer()->data;
  held.erase(held.begin());
  held.erase(held.begin());
  EXPECT_EQ(received(slots, "d").buffer()->data, memory);
}

TEST(Slots, DetachingTheOldestFreesItsSlotAndKeepsItsContent) {
  Slots slots(2);
  EXPECT_FALSE(slots.detach_oldest());
  const Bytes oldest = received(slots, "oldest");
  const Bytes newest = received(slots, "newest");
  EXPECT_TRUE(slots.detach_oldest());
  ASSERT_EQ(slots.free().size(), 1U);
  const Bytes other = received(slots, "OTHERS");
  EXPECT_EQ(oldest.content(), "oldest");
  EXPECT_EQ(newest.content(), "newest");
  EXPECT_TRUE(slots.detach_oldest());
  EXPECT_TRUE(slots.detach_oldest());
  EXPECT_FALSE(slots.detach_oldest());
  EXPECT_EQ(slots.free().size(), 2U);
  EXPECT_EQ(newest.content(), "newest");
  EXPECT_EQ(other.content(), "OTHERS");
}

TEST(Slots, OneIsDetachedByWhatStandsInIt) {
  Slots slots(2);
  const Bytes held = received(slots, "held");
  const Bytes part = held.drop(1);
  EXPECT_TRUE(slots.detach(part));
  EXPECT_EQ(slots.free().size(), 2U);
  EXPECT_TRUE(slots.detach(held));
  EXPECT_TRUE(slots.detach(Bytes{}));
  EXPECT_TRUE(slots.detach(Bytes::copy_of("of no slot")));
  EXPECT_EQ(slots.free().size(), 2U);
  EXPECT_EQ(part.content(), "eld");
}

TEST(Slots, WhatIsHeldLongerThanAMessageTakesIsDetached) {
  Slots slots(2);
  slots.wake_up();
  const Bytes held = received(slots, "held");
  slots.wake_up();
  EXPECT_EQ(slots.free().size(), 1U);
  const Bytes later = received(slots, "later");
  slots.wake_up();
  EXPECT_EQ(slots.free().size(), 0U);
  slots.wake_up();
  EXPECT_EQ(slots.free().size(), 1U);
  EXPECT_EQ(held.content(), "held");
  slots.wake_up();
  EXPECT_EQ(slots.free().size(), 2U);
  EXPECT_EQ(later.content(), "later");
}

TEST(Slots, WhatIsHeldOutlivesThem) {
  std::optional<Slots> slots(std::in_place, 2);
  const Bytes held = received(*slots, "held");
  const Bytes detached = received(*slots, "detached");
  EXPECT_TRUE(slots->detach(detached));
  slots.reset();
  EXPECT_EQ(held.content(), "held");
  EXPECT_EQ(detached.content(), "detached");
}

enum class SlotMove : std::uint8_t { receive, let_go, detach_oldest, detach, wake_up };

TEST(Slots, ContentStaysAndSlotsAreNeitherLostNorGivenTwice) {
  EXPECT_TRUE(holds([](const std::vector<std::tuple<std::uint8_t, std::uint8_t>>& moves) {
    constexpr std::uint32_t count = 4;
    std::optional<Slots> slots(std::in_place, count);
    std::vector<std::pair<Bytes, std::string>> held;
    for (const auto& [kind, which] : moves) {
      const std::size_t place = held.empty() ? 0 : which % held.size();
      switch (static_cast<SlotMove>(kind % 5)) {
        case SlotMove::receive: {
          if (slots->free().empty()) break;
          const std::string text = std::to_string(which) + "/" + std::to_string(held.size());
          held.emplace_back(received(*slots, text), text);
          break;
        }
        case SlotMove::let_go:
          if (!held.empty()) held.erase(held.begin() + static_cast<std::ptrdiff_t>(place));
          break;
        case SlotMove::detach_oldest: {
          const bool some_is_held = slots->free().size() < count;
          RC_ASSERT(slots->detach_oldest() == some_is_held);
          break;
        }
        case SlotMove::detach:
          if (!held.empty()) RC_ASSERT(slots->detach(held[place].first));
          break;
        case SlotMove::wake_up:
          slots->wake_up();
          break;
      }
      for (const auto& [bytes, text] : held) RC_ASSERT(bytes.content() == text);
      std::vector<std::uint32_t> free = slots->free();
      std::ranges::sort(free);
      RC_ASSERT(std::ranges::adjacent_find(free) == free.end());
      RC_ASSERT(free.size() + held.size() >= count);
      RC_ASSERT((free.empty() || free.back() < count));
    }
    slots.reset();
    for (const auto& [bytes, text] : held) RC_ASSERT(bytes.content() == text);
  }));
}

// -- Spin --------------------------------------------------------------------------------------------------------

constexpr kernel::Nanoseconds us = kernel::microsecond;
constexpr kernel::Nanoseconds longest = 100 * us;
constexpr kernel::Nanoseconds soon = 50 * us;
constexpr kernel::Nanoseconds late = 250 * us;

bool polls(const Spin& spin) { return spin.limit() > 0; }

/// As a loop does it: waits, with polling if that pays, and learns.
void wait(Spin& spin, kernel::Nanoseconds lasted, std::size_t events = 1) { spin.learn(lasted, polls(spin), events); }

TEST(Spin, PollsOnlyAfterOneEventThatCameSoon) {
  Spin spin(adaptive_spin_us);
  EXPECT_FALSE(polls(spin));
  wait(spin, soon);
  EXPECT_EQ(spin.limit(), longest);
  wait(spin, soon);
  EXPECT_EQ(spin.limit(), longest);
  wait(spin, soon, 2);
  EXPECT_FALSE(polls(spin));
  wait(spin, late);
  EXPECT_FALSE(polls(spin));
  wait(spin, soon);
  EXPECT_TRUE(polls(spin));
}

TEST(Spin, BeingWokenTakesTimeOfItsOwn) {
  Spin spin(adaptive_spin_us);
  wait(spin, 2 * longest);
  EXPECT_TRUE(polls(spin));
  Spin other(adaptive_spin_us);
  wait(other, 2 * longest + 1);
  EXPECT_FALSE(polls(other));
}

TEST(Spin, BacksOffTwiceAsLongAfterEachFailure) {
  Spin spin(adaptive_spin_us);
  wait(spin, soon);
  for (const int waits : {1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1023}) {
    ASSERT_TRUE(polls(spin));
    wait(spin, late);
    int without = 0;
    for (; !polls(spin) && without < 5'000; ++without) wait(spin, soon);
    EXPECT_EQ(without, waits);
  }
  wait(spin, soon);
  wait(spin, late);
  wait(spin, soon);
  EXPECT_TRUE(polls(spin)) << "a success forgets the failures";
}

TEST(Spin, NeverPollsWhereItIsSwitchedOff) {
  Spin spin(0);
  for (int count = 0; count < 100; ++count) {
    EXPECT_EQ(spin.limit(), 0);
    wait(spin, soon);
  }
}

TEST(Spin, PollsAsLongAsItIsTold) {
  Spin spin(7);
  wait(spin, 3 * us);
  EXPECT_EQ(spin.limit(), 7 * us);
}

// -- The table of sockets ----------------------------------------------------------------------------------------

enum class TableMove : std::uint8_t { add, remove, copy };

TEST(SocketTable, GivesTheLowestFreeName) {
  EXPECT_TRUE(holds([](const std::vector<std::tuple<std::uint8_t, std::uint8_t>>& moves) {
    SocketTable<int, -1> table;
    std::map<int, int> model;
    SocketTable<int, -1> old_table;
    std::map<int, int> old_model;
    const auto same = [](const SocketTable<int, -1>& one, const std::map<int, int>& other) {
      std::vector<int> seen;
      one.for_each([&](int what) { seen.push_back(what); });
      std::vector<int> expected;
      expected.reserve(other.size());
      for (const auto& [name, what] : other) expected.push_back(what);
      for (int name = -1; name < 20; ++name) {
        RC_ASSERT(one.at(Socket{name}) == (other.contains(name) ? other.at(name) : -1));
      }
      return seen == expected;
    };
    for (const auto& [kind, number] : moves) {
      switch (static_cast<TableMove>(kind % 8 < 4 ? 0 : kind % 8 < 7 ? 1 : 2)) {
        case TableMove::add: {
          int lowest = 0;
          while (model.contains(lowest)) ++lowest;
          RC_ASSERT(table.add(number) == Socket{lowest});
          model[lowest] = number;
          break;
        }
        case TableMove::remove: {
          const int name = number % 10 - 1;
          RC_ASSERT(table.remove(Socket{name}) == (model.contains(name) ? model.at(name) : -1));
          model.erase(name);
          break;
        }
        case TableMove::copy:
          old_table = table;
          old_model = model;
          break;
      }
      RC_ASSERT(same(table, model));
      RC_ASSERT(same(old_table, old_model));
    }
  }));
}

}  // namespace
}  // namespace antiphon::loop
