#include "verify/probe_shrink.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace antiphon::verify {
namespace {

using script::Await;
using script::Connect;
using script::EndSide;
using script::Pause;
using script::Send;

Visit visit(std::vector<Script> clients) {
  Visit visit;
  visit.clients = std::move(clients);
  return visit;
}

bool never() { return false; }

bool sends_at_least(const Visit& visit, std::uint64_t count) {
  return std::ranges::any_of(visit.clients, [=](const Script& script) { return sends(script) >= count; });
}

TEST(ProbeShrink, FindsTheSmallestClientAndMessage) {
  const Script script{Pause{5}, Connect{}, Send{3000}, Await{3000}, EndSide{}};
  const Shrunk shrunk = shrink_visit(
      visit({{Connect{}}, script, script}), [](const Visit& one) { return sends_at_least(one, 1025); }, never);
  EXPECT_EQ(shrunk.visit.clients, (std::vector<Script>{{Connect{}, Send{1025}}}));
}

TEST(ProbeShrink, FindsHowManyClientsItTakes) {
  const Shrunk shrunk = shrink_visit(
      visit(std::vector<Script>(100, {Connect{}})), [](const Visit& one) { return one.clients.size() >= 7; }, never);
  EXPECT_EQ(shrunk.visit.clients.size(), 7U);
  EXPECT_LE(shrunk.runs, most_tried_visits);
}

TEST(ProbeShrink, KeepsWhatStandsBetweenTwoMessages) {
  const auto says_two_things = [](const Visit& one) {
    return std::ranges::any_of(one.clients, [](const Script& script) {
      return std::ranges::count_if(script, [](const auto& each) { return std::holds_alternative<Send>(each); }) >= 2;
    });
  };
  const Shrunk shrunk =
      shrink_visit(visit({{Connect{}, Send{2}, Pause{30}, Send{3}, EndSide{}}}), says_two_things, never);
  EXPECT_EQ(shrunk.visit.clients, (std::vector<Script>{{Connect{}, Send{1}, Pause{30}, Send{1}}}));
}

TEST(ProbeShrink, TriesWithLessPatienceAndKeepsIt) {
  Visit slow = visit({{Connect{}, Send{1}, EndSide{}}});
  slow.patience.answer_ms = 800;
  std::vector<std::int64_t> waits;
  const Shrunk shrunk = shrink_visit(
      slow,
      [&](const Visit& one) {
        waits.push_back(one.patience.answer_ms);
        return true;
      },
      never);
  EXPECT_EQ(shrunk.visit.patience.answer_ms, 800);
  EXPECT_EQ(std::ranges::count(waits, 200), std::ssize(waits));
  EXPECT_EQ(shrunk.visit.clients, (std::vector<Script>{{Connect{}}}));
}

TEST(ProbeShrink, StopsWhenItIsTold) {
  int runs = 0;
  const Shrunk shrunk = shrink_visit(
      visit({{Connect{}, Send{1'000'000}, EndSide{}}}), [&](const Visit&) { return ++runs < 0; },
      [&] { return runs >= 3; });
  EXPECT_EQ(shrunk.runs, 3U);
}

}  // namespace
}  // namespace antiphon::verify
