#include "interpreters/event_bytes.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "interpreters/payload_digest.hpp"

namespace antiphon {
namespace {

std::vector<ProcessEvent> one_of_each() {
  const Deadline until{60'000, 5'000};
  std::vector<ProcessEvent> events;
  const auto issued = [&](AnyExchange<Net> exchange, std::optional<ProcessId> child = {}) {
    events.push_back({7, events.size(), Issued{std::move(exchange), child}});
  };
  issued(Exchange<OpenSocket>{{{"127.0.0.1", 8888}}, Socket{3}});
  issued(Exchange<Listen>{{Socket{3}, 128}, Endpoint{"::1", 65535}});
  issued(Exchange<Accept>{{Socket{3}}, failed(Errno::MFILE)});
  issued(Exchange<Connect>{{{"", 0}, until}, Socket{0}});
  issued(Exchange<Recv>{{Socket{4}, 16384, until}, Bytes::copy_of(std::string_view("a\0\xff", 3))});
  issued(Exchange<Recv>{{Socket{4}, 16384, {}}, Bytes()});
  issued(Exchange<Send>{{Socket{4}, Bytes::copy_of("abc"), until}, std::size_t{2}});
  issued(Exchange<Send>{{Socket{4}, Bytes(), until}, std::nullopt});
  issued(Exchange<ShutdownSend>{{Socket{4}}, Unit{}});
  issued(Exchange<Close>{{Socket{4}}, failed(Errno{4095})});
  issued(Exchange<Fork>{{}, Forked(Parent{Pid{4242}})}, 9);
  issued(Exchange<Fork>{{12}, Forked(Child{})});
  issued(Exchange<Fork>{{12, 3, {1}}, Forked(Child{})});
  issued(Exchange<DiscardChildren>{{}, Unit{}});
  issued(Exchange<Sleep>{{100}, failed(Errno::STOPPING)});
  issued(Exchange<Alarm>{{30'000}, Unit{}});
  events.push_back({7, events.size(), Ended{}});
  events.push_back({8, 0, Ended{failed(Errno::IO)}});
  return events;
}

TEST(EventBytes, ComeBackAsTheyWere) {
  const std::vector<ProcessEvent> events = one_of_each();
  std::string bytes;
  for (const ProcessEvent& event : events) append_bytes(bytes, event);
  std::string_view rest = bytes;
  for (const ProcessEvent& event : events) EXPECT_EQ(take_event(rest), event) << event.number;
  EXPECT_TRUE(rest.empty());
}

/// Of a long message there are the digests: of what went out, and of what did not.
TEST(EventBytes, LongMessagesAreToldByTheirDigests) {
  const std::string message(1000, 'x');
  std::string bytes;
  append_bytes(bytes, ProcessEvent{1, 0, Issued{Exchange<Recv>{{Socket{4}, 16384, {}}, Bytes::copy_of(message)}, {}}});
  append_bytes(bytes, ProcessEvent{1, 1, Issued{Exchange<Send>{{Socket{4}, Bytes::copy_of(message), {}}, 300}, {}}});
  EXPECT_LT(bytes.size(), 300U);
  std::string_view rest = bytes;
  const auto recv = take_event(rest);
  const auto send = take_event(rest);
  ASSERT_TRUE(recv && send && rest.empty());
  EXPECT_EQ((*exchange_of<Recv>(*recv)->response)->digest(), digest_of(message));
  const Bytes& offered = exchange_of<Send>(*send)->instruction.bytes;
  EXPECT_EQ(offered.digest(), digest_of(message));
  EXPECT_EQ(offered.take(300).digest(), digest_of(message.substr(300, 300)));
  EXPECT_EQ(offered.drop(300).digest(), digest_of(message.substr(300)));
}

TEST(EventBytes, WhatIsNotWholeIsNoEvent) {
  for (const ProcessEvent& event : one_of_each()) {
    std::string bytes;
    append_bytes(bytes, event);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      std::string_view start = std::string_view(bytes).substr(0, size);
      EXPECT_EQ(take_event(start), std::nullopt) << event.number << " cut at " << size;
      EXPECT_EQ(start.size(), size);
    }
  }
}

TEST(EventBytes, AnUnknownInstructionIsNoEvent) {
  std::string bytes;
  append_bytes(bytes, ProcessEvent{0, 0, Ended{}});
  bytes[2 * sizeof(std::uint64_t)] = '\x40';
  std::string_view rest = bytes;
  EXPECT_EQ(take_event(rest), std::nullopt);
}

TEST(EventBytes, DigestsOfMoreThanAnybodySendsAreNoEvent) {
  const StreamDigest half{most_digested / 2, 1};
  for (const std::uint64_t more : {0U, 1U}) {
    const std::array two{half, StreamDigest{half.size + more, 2}};
    std::string bytes;
    append_bytes(bytes,
                 ProcessEvent{1, 0, Issued{Exchange<Send>{{Socket{4}, Bytes::of_digests(two), {}}, half.size}, {}}});
    std::string_view rest = bytes;
    EXPECT_EQ(take_event(rest).has_value(), more == 0) << more;
  }
}

}  // namespace
}  // namespace antiphon
