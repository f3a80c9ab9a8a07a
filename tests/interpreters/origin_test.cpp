#include "interpreters/origin.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <optional>
#include <string>

#include "interpreters/kernel.hpp"

namespace antiphon {
namespace {

using namespace kernel;

/// Both sides of a connection between two addresses of this host.
struct Pair {
  Pair(const std::string& from, const std::string& listens, const std::string& to) {
    auto listener = open_socket({listens, 0});
    if (!listener) return;
    const auto at = listen_at(listener->number(), 1);
    auto begun = begin_connecting_from(from, {to, at->port});
    if (!begun) return;
    client.emplace(*std::move(begun));
    pollfd watched{listener->number(), POLLIN, 0};
    poll(&watched, 1, 10'000);
    if (auto accepted = accept_client(listener->number())) server.emplace(*std::move(accepted));
  }
  [[nodiscard]] Origin origin() const { return server ? origin_of(server->number()) : Origin(); }

  std::optional<Descriptor> client;
  std::optional<Descriptor> server;
};

bool has_ipv6() { return open_socket({"::1", 0}).has_value(); }

TEST(OriginOf, AnIpv4AddressWhateverThePort) {
  const Pair one("127.0.0.1", "127.0.0.1", "127.0.0.1");
  const Pair same("127.0.0.1", "127.0.0.1", "127.0.0.1");
  const Pair other("127.0.2.3", "127.0.0.1", "127.0.0.1");
  EXPECT_EQ(one.origin(), (Origin{Origin::Kind::ipv4, 0x7F000001}));
  EXPECT_EQ(same.origin(), one.origin());
  EXPECT_EQ(other.origin(), (Origin{Origin::Kind::ipv4, 0x7F000203}));
}

TEST(OriginOf, AMappedAddressIsTheIpv4One) {
  if (!has_ipv6()) GTEST_SKIP() << "this machine has no IPv6";
  const Pair mapped("127.0.2.3", "::", "127.0.0.1");
  ASSERT_TRUE(mapped.server);
  EXPECT_EQ(mapped.origin(), (Origin{Origin::Kind::ipv4, 0x7F000203}));
}

TEST(OriginOf, AnIpv6AddressHasItsFirst64Bits) {
  if (!has_ipv6()) GTEST_SKIP() << "this machine has no IPv6";
  EXPECT_EQ(Pair("::1", "::1", "::1").origin(), (Origin{Origin::Kind::ipv6, 0}));
}

TEST(OriginOf, Ipv6AddressesDifferInTheirFirst64BitsOnly) {
  const auto address = [](std::uint8_t first, std::uint8_t eighth, std::uint8_t last) {
    sockaddr_storage storage{};
    auto& own = reinterpret_cast<sockaddr_in6&>(storage);
    own.sin6_family = AF_INET6;
    own.sin6_addr.s6_addr[0] = first;
    own.sin6_addr.s6_addr[7] = eighth;
    own.sin6_addr.s6_addr[15] = last;
    return origin_of(storage);
  };
  EXPECT_EQ(address(0x20, 0x01, 0), (Origin{Origin::Kind::ipv6, 0x2000000000000001}));
  EXPECT_EQ(address(0x20, 0x01, 7), address(0x20, 0x01, 0));
  EXPECT_NE(address(0x20, 0x02, 0), address(0x20, 0x01, 0));
}

TEST(OriginOf, WhoIsGoneIsAnywhere) {
  Pair pair("127.0.0.1", "127.0.0.1", "127.0.0.1");
  reset_on_close(pair.client->number());
  pair.client.reset();
  pollfd watched{pair.server->number(), POLLIN, 0};
  poll(&watched, 1, 10'000);
  EXPECT_EQ(pair.origin(), Origin());
  EXPECT_EQ(origin_of(-1), Origin());
  EXPECT_EQ(origin_of(open_socket({"127.0.0.1", 0})->number()), Origin());
}

TEST(OriginCounts, GivesRoomToEachOriginByItself) {
  const Origin one{Origin::Kind::ipv4, 1};
  const Origin other{Origin::Kind::ipv6, 1};
  OriginCounts counts;
  EXPECT_TRUE(counts.admit(one, 2));
  EXPECT_TRUE(counts.admit(one, 2));
  EXPECT_EQ(counts.admit(one, 2), failed(Errno::AGAIN));
  EXPECT_TRUE(counts.admit(one, 3)) << "the limit is each time's own";
  EXPECT_TRUE(counts.admit(other, 1));
  EXPECT_EQ(counts.admit(Origin(), 0), failed(Errno::AGAIN));
}

TEST(OriginCounts, TakesRoomBackAndForgetsWhoHasNobody) {
  const Origin one{Origin::Kind::ipv4, 1};
  OriginCounts counts;
  EXPECT_TRUE(counts.admit(one, 1));
  EXPECT_EQ(counts.size(), 1U);
  counts.discount(one);
  EXPECT_EQ(counts.size(), 0U);
  counts.discount(one);
  EXPECT_TRUE(counts.admit(one, 1));
  counts.clear();
  EXPECT_TRUE(counts.admit(one, 1));
}

}  // namespace
}  // namespace antiphon
