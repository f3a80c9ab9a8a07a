#include "verify/family.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/verify/history.hpp"

namespace antiphon::verify {
namespace {

Family after(const History& history) {
  Family family;
  for (const Event& event : history.events) family.move(event);
  return family;
}

using Holders = std::set<ProcessId>;  // of a connection

TEST(Family, StartsWithTheFirstProcess) {
  const Family family;
  ASSERT_NE(family.process(0), nullptr);
  EXPECT_TRUE(family.process(0)->table.empty());
  EXPECT_EQ(family.process(1), nullptr);
}

TEST(Family, KnowsWhatANameMeans) {
  const Family family = after(opening().on(0, Accept{listener}, client));
  EXPECT_EQ(family.held(0, listener), (Held{true, 0}));
  EXPECT_EQ(family.held(0, client), (Held{false, 0}));
  EXPECT_EQ(family.held(0, Socket{2}), std::nullopt);
  EXPECT_EQ(family.held(7, listener), std::nullopt);
}

TEST(Family, AForkDuplicatesTheTable) {
  const Family family = after(opening().on(0, Accept{listener}, client).forks(0, 1));
  EXPECT_EQ(family.holders(0), (Holders{0, 1}));
  EXPECT_TRUE(family.connection(0)->served);
  EXPECT_EQ(family.held(1, client), (Held{false, 0}));
  EXPECT_EQ(family.held(1, listener), (Held{true, 0}));
  EXPECT_EQ(family.process(1)->parent, ProcessId{0});
}

TEST(Family, AForkThatFailedMakesNobody) {
  const Family family = after(opening().on(0, Fork{}, failed(Errno::AGAIN)));
  EXPECT_TRUE(family.process(0)->refuses_above.has_value());
  EXPECT_EQ(family.processes().size(), 1U);
  EXPECT_TRUE(after(opening().on(0, Fork{}, failed(Errno::AGAIN)).on(0, Sleep{1}, done()))
                  .process(0)
                  ->refuses_above.has_value());
  EXPECT_FALSE(after(opening().on(0, Fork{}, failed(Errno::AGAIN)).on(0, Accept{listener}, client))
                   .process(0)
                   ->refuses_above.has_value());
}

TEST(Family, TheSameNameMeansAnotherConnectionLater) {
  const Family family =
      after(opening().on(0, Accept{listener}, client).on(0, Close{client}, done()).on(0, Accept{listener}, client));
  EXPECT_EQ(family.held(0, client), (Held{false, 1}));
  EXPECT_EQ(family.connection(0), nullptr);
}

TEST(Family, AConnectionIsForgottenWithItsLastHolder) {
  EXPECT_EQ(after(serving()).holders(0), Holders{1});
  EXPECT_EQ(after(serving().on(1, Close{client}, done())).connection(0), nullptr);
  EXPECT_EQ(after(serving().on(1, Close{client}, failed(Errno::INTR))).connection(0), nullptr);
  const Family ended = after(serving().ends(1));
  EXPECT_EQ(ended.connection(0), nullptr);
  EXPECT_EQ(ended.process(1), nullptr);
}

TEST(Family, NotesWhyADebtMayStayUnpaid) {
  const auto excuse = [](const History& history) { return after(history).connection(0)->excuse; };
  const auto recv = [&](Errno error) { return excuse(serving().on(1, read(), failed(error))); };
  EXPECT_EQ(recv(Errno::INTR), Excuse::none);
  EXPECT_EQ(recv(Errno::NOBUFS), Excuse::none);
  EXPECT_EQ(recv(Errno::CONNRESET), Excuse::reset);
  EXPECT_EQ(recv(Errno::EXPIRED), Excuse::deadline);
  EXPECT_EQ(recv(Errno::STOPPING), Excuse::drain);
  EXPECT_EQ(excuse(serving().on(1, write("a"), failed(Errno::PIPE))), Excuse::reset);
  EXPECT_EQ(excuse(serving().on(1, ShutdownSend{client}, failed(Errno::NOTCONN))), Excuse::reset);
  EXPECT_EQ(excuse(serving().on(1, ShutdownSend{client}, done())), Excuse::none);
  EXPECT_EQ(excuse(serving().on(1, read(), failed(Errno::EXPIRED)).on(1, read(), failed(Errno::CONNRESET))),
            Excuse::reset);
}

TEST(Family, FailuresThatNeverPassAreTheConnectionsOwn) {
  const auto excuse = [](const History& history) { return after(history).connection(0)->excuse; };
  const auto failing = [](std::uint8_t times) {
    History history = serving();
    for (std::uint8_t time = 0; time < times; ++time) history.on(1, read(), failed(Errno::NOMEM));
    return history;
  };
  EXPECT_EQ(excuse(failing(failures_of_a_lost_connection - 1)), Excuse::none);
  EXPECT_EQ(excuse(failing(failures_of_a_lost_connection)), Excuse::reset);
  EXPECT_EQ(excuse(failing(failures_of_a_lost_connection - 1).on(1, read(), failed(Errno::INTR))), Excuse::none);
  EXPECT_EQ(excuse(failing(failures_of_a_lost_connection).on(1, read(), bytes("a"))), Excuse::none);
  EXPECT_EQ(
      excuse(failing(failures_of_a_lost_connection - 1).on(1, read(), bytes("a")).on(1, read(), failed(Errno::NOBUFS))),
      Excuse::none);
  EXPECT_EQ(excuse(serving().on(1, read(), failed(Errno::NOTSOCK))), Excuse::reset);
}

TEST(Family, KnowsTheClientOfAConnection) {
  EXPECT_EQ(after(serving()).connection(0)->client, std::nullopt);
  EXPECT_EQ(after(opening().on(0, Accept{listener}, client).accepted(3, 0, client)).connection(0)->client, ClientId{3});
}

TEST(Family, KnowsWhoWaits) {
  EXPECT_TRUE(after(serving()).process(0)->waiting.has_value());
  EXPECT_FALSE(after(serving()).process(1)->waiting.has_value());
  EXPECT_FALSE(after(serving().on(0, Accept{listener}, client)).process(0)->waiting.has_value());
}

TEST(Family, ForgetsEverythingThatHasEnded) {
  Family family = after(opening());
  for (ProcessId child = 1; child <= 10'000; ++child) {
    History one;
    one.on(0, Accept{listener}, client)
        .accepted(static_cast<ClientId>(child), 0, client)
        .forks(0, child)
        .on(0, Close{client}, done())
        .on(child, Close{listener}, done())
        .on(child, read(), bytes("a"))
        .on(child, read(), bytes(""))
        .on(child, Close{client}, done())
        .ends(child);
    for (const Event& event : one.events) family.move(event);
  }
  EXPECT_EQ(family.processes().size(), 1U);
  EXPECT_TRUE(family.connections().size() == 0);
}

}  // namespace
}  // namespace antiphon::verify
