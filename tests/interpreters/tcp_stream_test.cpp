#include "interpreters/tcp_stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/rapidcheck.hpp"

namespace antiphon::wire {
namespace {

TcpStream stream_at(std::uint32_t sequence) {
  TcpStream stream;
  stream.start(sequence);
  return stream;
}

TEST(TcpStream, TakesBytesInOrder) {
  TcpStream stream = stream_at(100);
  EXPECT_TRUE(stream.begins_at(100));
  EXPECT_EQ(stream.take(100, "abc"), "abc");
  EXPECT_EQ(stream.take(103, "def"), "def");
  EXPECT_EQ(stream.bytes(), 6U);
  EXPECT_FALSE(stream.lacks());
}

TEST(TcpStream, RepeatsCountOnce) {
  TcpStream stream = stream_at(100);
  EXPECT_EQ(stream.take(100, "abc"), "abc");
  EXPECT_EQ(stream.take(100, "abc"), "");
  EXPECT_EQ(stream.take(101, "bcde"), "de");
  EXPECT_EQ(stream.take(99, "x"), "") << "a probe";
}

TEST(TcpStream, WhatComesTooSoonWaits) {
  TcpStream stream = stream_at(100);
  EXPECT_EQ(stream.take(103, "def"), "");
  EXPECT_TRUE(stream.lacks());
  EXPECT_EQ(stream.take(105, "fgh"), "");
  EXPECT_EQ(stream.take(100, "abc"), "abcdefgh");
  EXPECT_FALSE(stream.lacks());
}

TEST(TcpStream, WhatIsBeforeTooMuchWillNotCome) {
  TcpStream stream = stream_at(0);
  const std::string block(std::size_t{1} << 20U, 'x');
  for (std::uint32_t count = 0; count < 64; ++count) EXPECT_EQ(stream.take(1 + (count << 20U), block), "");
  EXPECT_FALSE(stream.lost());
  EXPECT_EQ(stream.take(1 + (64U << 20U), "x"), "");
  EXPECT_TRUE(stream.lost());
  EXPECT_TRUE(stream.lacks());
  EXPECT_EQ(stream.take(0, "x"), "") << "nothing is known of what was behind it";
}

TEST(TcpStream, NumbersBeginAgain) {
  TcpStream stream = stream_at(0xFFFFFFFE);
  EXPECT_EQ(stream.take(0xFFFFFFFE, "abc"), "abc");
  EXPECT_EQ(stream.take(1, "def"), "def");
  stream.acknowledge(4);
  EXPECT_EQ(stream.acknowledged(), 6U);
}

TEST(TcpStream, EndsAfterAllBytes) {
  TcpStream stream = stream_at(100);
  stream.end(103);
  EXPECT_FALSE(stream.ended());
  EXPECT_TRUE(stream.lacks());
  EXPECT_EQ(stream.take(100, "abc"), "abc");
  EXPECT_TRUE(stream.ended());
  stream.acknowledge(104);
  EXPECT_EQ(stream.acknowledged(), 3U) << "the end has a number too";
  EXPECT_FALSE(stream.lacks());
}

TEST(TcpStream, WhatWasAcknowledgedWasThere) {
  TcpStream stream = stream_at(100);
  EXPECT_EQ(stream.take(100, "abc"), "abc");
  stream.acknowledge(103);
  EXPECT_FALSE(stream.lacks());
  stream.acknowledge(105);
  EXPECT_TRUE(stream.lacks());
}

RC_GTEST_PROP(TcpStream, SegmentsMayComeInAnyOrderAndTwice,
              (const std::string& text, std::uint32_t first, unsigned seed)) {
  std::mt19937 random(seed);
  std::vector<std::pair<std::size_t, std::size_t>> segments;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = 1 + random() % 5;
    segments.emplace_back(at, length);
    segments.emplace_back(at - std::min<std::size_t>(at, random() % 4), length + random() % 4);
    at += length;
  }
  std::ranges::shuffle(segments, random);
  TcpStream stream = stream_at(first);
  std::string heard;
  for (const auto& [at, length] : segments) {
    heard += stream.take(static_cast<std::uint32_t>(first + at), text.substr(at, length));
  }
  RC_ASSERT(heard == text);
  RC_ASSERT(!stream.lacks());
}

}  // namespace
}  // namespace antiphon::wire
