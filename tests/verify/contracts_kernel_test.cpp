#include "verify/contracts/kernel.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "interpreters/payload_digest.hpp"
#include "tests/verify/history.hpp"
#include "verify/campaign.hpp"

/// The promises of the interpreter and the kernel: traces that keep them, and traces that only a liar can leave.

namespace antiphon::verify {
namespace {

using Kind = ClientEvent::Kind;

/// Process 1 serves client 1, who is seen.
History seen() {
  History history = serving();
  history.events.insert(history.events.begin(), ClientEvent{1, Kind::connected, {}, 0, {}});
  return history.accepted(1, 1, client);
}

TEST(Kernel, BytesArriveOnceAndInOrder) {
  EXPECT_EQ(verdict_on("kernel", seen().by(1, Kind::sent, "abc").on(1, read(), bytes("ab")).on(1, read(), bytes("c"))),
            "kept");
  EXPECT_EQ(verdict_on("kernel", seen().by(1, Kind::sent, "abc").on(1, read(), bytes("ba"))),
            "process 1, event 2 (Recv): answers \"ba\" where client 1 had sent \"abc\"");
  EXPECT_EQ(verdict_on("kernel", seen().by(1, Kind::sent, "a").on(1, read(), bytes("a")).on(1, read(), bytes("a"))),
            "process 1, event 3 (Recv): answers \"a\" where client 1 had sent \"\"");
}

TEST(Kernel, BytesReachTheClientOnceAndInOrder) {
  const History answered = seen().by(1, Kind::sent, "abc").on(1, read(), bytes("abc")).on(1, write("abc"), 2);
  EXPECT_EQ(verdict_on("kernel", History(answered).by(1, Kind::received, "a").by(1, Kind::received, "b")), "kept");
  EXPECT_EQ(verdict_on("kernel", History(answered).by(1, Kind::received, "abc")),
            "client 1 receives \"abc\" where \"ab\" was sent to it");
  EXPECT_EQ(verdict_on("kernel", History(answered).by(2, Kind::received, "a")),
            "client 2 receives \"a\" where \"\" was sent to it");
}

Bytes known(std::string_view text) { return Bytes::of_digests(std::array{digest_of(text)}); }

TEST(Kernel, DigestsDecideAsMessagesDo) {
  const History sent = seen().by(1, Kind::sent, "abcdef");
  const auto received = [&](std::string_view text) { return History(sent).on(1, read(), Result<Bytes>(known(text))); };
  EXPECT_EQ(verdict_on("kernel", received("ab").on(1, read(), Result<Bytes>(known("cdef")))), "kept");
  EXPECT_EQ(verdict_on("kernel", received("ba")),
            "process 1, event 2 (Recv): answers 2 other bytes where client 1 had sent \"abcdef\"");
  const auto answered = [&](std::string_view text) {
    return received(text).on(1, Send{client, known(text), {}}, text.size());
  };
  EXPECT_EQ(verdict_on("kernel", answered("abcd").by(1, Kind::received, "a").by(1, Kind::received, "bcd")), "kept");
  EXPECT_EQ(verdict_on("kernel", answered("abcd").by(1, Kind::received, "abce")),
            "client 1 receives \"abce\" where 4 bytes of which only digests are known was sent to it");
}

TEST(Kernel, WhatIsNotOpenAnswersWithFailure) {
  EXPECT_EQ(verdict_on("kernel", serving().on(1, Close{client}, done()).on(1, read(), failed(Errno::BADF))), "kept");
  EXPECT_EQ(verdict_on("kernel", serving().on(1, Close{client}, done()).on(1, read(), bytes("a"))),
            "process 1, event 3 (Recv): answers with success for socket 1, which is not open");
  EXPECT_EQ(verdict_on("kernel", serving().on(1, Close{client}, done()).on(1, Close{client}, done())),
            "process 1, event 3 (Close): answers with success for socket 1, which is not open");
}

TEST(Kernel, NothingGoesOutOnASideThatWasEnded) {
  const History ended = serving().on(1, read(), bytes("a")).on(1, ShutdownSend{client}, done());
  EXPECT_EQ(verdict_on("kernel", History(ended).on(1, write("a"), failed(Errno::PIPE))), "kept");
  EXPECT_EQ(verdict_on("kernel", History(ended).on(1, write("a"), 1)),
            "process 1, event 4 (Send): answers that bytes went out on a side that was ended");
}

TEST(Kernel, IsBlamedItself) {
  const Verdict verdict = judged(serving().on(1, Close{client}, done()).on(1, read(), bytes("a")));
  const Violation* const found = violation_of(verdict, "kernel");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->party, Party::interpreter);
}

}  // namespace
}  // namespace antiphon::verify
