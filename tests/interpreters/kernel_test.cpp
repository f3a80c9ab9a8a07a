#include "interpreters/kernel.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace antiphon::kernel {
namespace {

TEST(Kernel, WhatAClientSendsWaitsForNoAcknowledgement) {
  const Result<Descriptor> listener = open_socket({"127.0.0.1", 0});
  ASSERT_TRUE(listener);
  const Result<Endpoint> at = listen_at(listener->number(), 1);
  ASSERT_TRUE(at);
  const Result<Descriptor> client = begin_connecting(*at);
  ASSERT_TRUE(client);
  int no_delay = 0;
  socklen_t size = sizeof(no_delay);
  ASSERT_EQ(getsockopt(client->number(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
  EXPECT_NE(no_delay, 0);
}

}  // namespace
}  // namespace antiphon::kernel
