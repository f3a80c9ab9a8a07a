#include "verify/foreign/open_files.hpp"

#include <gtest/gtest.h>

namespace antiphon::verify::foreign {
namespace {

Segment known(const std::string& bytes) { return {bytes, nullptr, 0, bytes.size()}; }

/// "abc", or "[client 1: 5-7]" for what went in unseen.
std::string text_of(const std::optional<std::vector<Segment>>& segments) {
  if (!segments) return "unknown";
  std::string text;
  for (const Segment& one : *segments) {
    text += one.client == nullptr ? one.bytes
                                  : "[" + one.client->name() + ": " + std::to_string(one.position) + "-" +
                                        std::to_string(one.position + one.count - 1) + "]";
  }
  return text;
}

TEST(Channel, GivesBackWhatWasPutIn) {
  Channel channel;
  channel.put(known("abc"));
  channel.put(known("def"));
  EXPECT_EQ(text_of(channel.look(4)), "abcd");
  EXPECT_EQ(text_of(channel.take(2)), "ab");
  channel.take_back(2);
  EXPECT_EQ(text_of(channel.take(2)), "cd");
  EXPECT_EQ(channel.put_so_far(), 4U);
  channel.put(known("g"));
  EXPECT_EQ(text_of(channel.take(1)), "g");
}

TEST(Channel, CarriesBytesThatNobodySaw) {
  const auto client = std::make_shared<Client>();
  client->number = 1;
  Channel channel;
  channel.put({"", client, 5, 3});
  channel.put(known("x"));
  EXPECT_EQ(text_of(channel.take(2)), "[client 1: 5-6]");
  EXPECT_EQ(text_of(channel.take(2)), "[client 1: 7-7]x");
}

TEST(Channel, KnowsWhenItDoesNotKnow) {
  Channel channel;
  channel.put(known("abc"));
  EXPECT_EQ(text_of(channel.take(4)), "unknown");
  channel.put(known("abc"));
  EXPECT_EQ(text_of(channel.take(1)), "unknown");
}

TEST(Channel, HoldsNoMoreThanAKernelDoes) {
  const auto client = std::make_shared<Client>();
  Channel channel;
  channel.put({"", client, 0, std::uint64_t{64} << 20U});
  EXPECT_NE(channel.look(1), std::nullopt);
  channel.put(known("x"));
  EXPECT_EQ(text_of(channel.look(1)), "unknown") << "whoever reads it is not in the log";
}

TEST(Client, HasANameAndPerhapsAnAddress) {
  Client client;
  client.number = 3;
  EXPECT_EQ(client.name(), "client 3");
  client.address = "1.2.3.4:5";
  EXPECT_EQ(client.name(), "client 3 (1.2.3.4:5)");
}

}  // namespace
}  // namespace antiphon::verify::foreign
