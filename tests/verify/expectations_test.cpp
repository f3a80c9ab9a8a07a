#include "verify/expectations.hpp"

#include <gtest/gtest.h>

namespace antiphon::verify {
namespace {

TraceHeader header() {
  TraceHeader made;
  made.idle_ms = 1;
  made.drain_ms = 2;
  made.max_connections = 3;
  made.at_most = 4;
  made.workers = 5;
  made.max_per_address = 6;
  made.progress_ms = 7;
  return made;
}

TEST(ExpectationsOf, AHeaderSaysWhatTheProgramIsHeldTo) {
  const Expectations expected = expectations_of(header(), "once");
  EXPECT_EQ(expected.answers, Answers::first_message);
  EXPECT_EQ(expected.idle_ms, 1);
  EXPECT_EQ(expected.drain_ms, 2);
  EXPECT_EQ(expected.max_connections, 3);
  EXPECT_EQ(expected.at_most, 4);
  EXPECT_EQ(expected.workers, 5U);
  EXPECT_EQ(expected.max_per_address, 6);
  EXPECT_EQ(expected.progress_ms, 7);
  EXPECT_EQ(expectations_of(header(), "stream").answers, Answers::everything);
}

TEST(GenerationFor, LimitsGetWhatTheyTake) {
  const Generation plain = generation_for(expectations_of("stream", {}), 3, {true});
  EXPECT_EQ(plain.most_clients, 3U);
  EXPECT_EQ(plain.faults, std::vector<bool>{true});
  EXPECT_EQ(plain.most_addresses, 1U);
  EXPECT_FALSE(plain.full_buffers);
  const Generation limited = generation_for(expectations_of(header(), "stream"), 3, {});
  EXPECT_EQ(limited.most_addresses, 2U);
  EXPECT_TRUE(limited.full_buffers);
}

}  // namespace
}  // namespace antiphon::verify
