#include "verify/foreign/half_seen.hpp"

#include <gtest/gtest.h>

namespace antiphon::verify {
namespace {

TEST(HalfSeen, ComparesWhatIsSeen) {
  HalfSeen bytes;
  bytes.receive("abc");
  EXPECT_TRUE(bytes.send("ab"));
  EXPECT_EQ(bytes.debt(), 1U);
  EXPECT_FALSE(bytes.seen().mismatch());
  EXPECT_TRUE(bytes.send("x"));
  EXPECT_EQ(bytes.seen().mismatch()->position, 2U);
}

TEST(HalfSeen, BytesGoThroughUnseen) {
  HalfSeen bytes;
  bytes.receive("abc");
  EXPECT_EQ(bytes.receive_unseen(10), 3U);
  EXPECT_EQ(bytes.debt(), 13U);
  EXPECT_FALSE(bytes.send_unseen(3, 10)) << "the first three are owed before";
  EXPECT_TRUE(bytes.send("abc"));
  EXPECT_TRUE(bytes.send_unseen(3, 4));
  EXPECT_FALSE(bytes.send_unseen(8, 1)) << "one is left out";
  EXPECT_TRUE(bytes.send_unseen(7, 6));
  EXPECT_EQ(bytes.debt(), 0U);
  EXPECT_FALSE(bytes.send_unseen(3, 4)) << "they are repeated";
  bytes.receive("d");
  EXPECT_TRUE(bytes.send("d"));
  EXPECT_EQ(bytes.seen().received(), 14U);
  EXPECT_EQ(bytes.received(), 14U);
  EXPECT_FALSE(bytes.seen().mismatch());
}

TEST(HalfSeen, WhatIsOwedUnseenCannotBeCompared) {
  HalfSeen bytes;
  bytes.receive("ab");
  bytes.receive_unseen(2);
  bytes.receive("ef");
  EXPECT_FALSE(bytes.send("abcd"));
  EXPECT_FALSE(bytes.seen().mismatch());
}

TEST(HalfSeen, BytesMayShowLater) {
  HalfSeen bytes;
  bytes.receive_unseen(6);
  bytes.receive("gh");
  bytes.tell(2, "cd");
  EXPECT_FALSE(bytes.send("a"));
  bytes.tell(0, "ab");
  bytes.tell(4, "ef");
  EXPECT_TRUE(bytes.send("abcdefgh"));
  EXPECT_EQ(bytes.debt(), 0U);
  EXPECT_FALSE(bytes.seen().mismatch());
}

TEST(HalfSeen, WhatShowsMayGoBackUnseenToo) {
  HalfSeen bytes;
  bytes.receive_unseen(4);
  bytes.tell(0, "ab");
  EXPECT_TRUE(bytes.send_unseen(0, 4));
  EXPECT_EQ(bytes.debt(), 0U);
}

}  // namespace
}  // namespace antiphon::verify
