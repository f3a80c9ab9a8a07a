#include "interpreters/scenario.hpp"

#include <gtest/gtest.h>

#include <set>

namespace antiphon {
namespace {

TEST(Scenario, SaysWhatItDoes) {
  Scenario scenario(0);
  scenario.clients = {{script::Connect{}, script::Send{3}, script::Await{2}, script::EndSide{}},
                      {script::Pause{5}, script::Connect{}, script::StopReading{}, script::Reset{}},
                      {}};
  scenario.faults = {{fault_place(Fork::name), 0, Errno::AGAIN}};
  scenario.stop_after = 9;
  scenario.short_io = true;
  scenario.addresses = 2;
  EXPECT_EQ(describe(scenario),
            "client 1: connect, send 3, await 2, end side\n"
            "client 2: pause 5 ms, connect, stop reading, reset\n"
            "client 3: \n"
            "fault: Fork number 1 answers EAGAIN\n"
            "the clients are at 2 addresses, by turns\n"
            "the server is stopped after 9 steps\n"
            "reads and writes may be short\n");
}

TEST(Scenario, SaysNothingOfWhatIsPlain) { EXPECT_EQ(describe(Scenario(1)), ""); }

TEST(Scenario, ClientsAreAtItsAddressesByTurns) {
  Scenario scenario(0);
  EXPECT_EQ(address_of(scenario, 7), 0U);
  scenario.addresses = 3;
  EXPECT_EQ(address_of(scenario, 2), 2U);
  EXPECT_EQ(address_of(scenario, 3), 0U);
  EXPECT_EQ(host_of(0), "127.0.0.1");
  EXPECT_EQ(host_of(253), "127.0.0.254");
  EXPECT_EQ(host_of(254), "127.0.1.1");
}

TEST(Scenario, FaultsAreNamedByInstruction) {
  for (std::uint32_t place = 0; place < faulty_instructions.size(); ++place) {
    EXPECT_EQ(fault_place(faulty_instructions.at(place)), place);
    EXPECT_EQ((Fault{place, 0, Errno::IO}).name(), faulty_instructions.at(place));
  }
  EXPECT_EQ(fault_place("Nothing"), faulty_instructions.size());
}

std::set<char> alphabet(std::uint32_t client) {
  std::set<char> bytes;
  for (std::uint64_t position = 0; position < 2'000; ++position) bytes.insert(payload_byte(client, position));
  return bytes;
}

TEST(Scenario, NeighboursHaveAlphabetsWithoutACommonByte) {
  std::set<char> all;
  std::size_t together = 0;
  for (std::uint32_t client = 0; client < 4; ++client) {
    const std::set<char> own = alphabet(client);
    EXPECT_GE(own.size(), 10U) << client;
    together += own.size();
    all.insert(own.begin(), own.end());
  }
  EXPECT_EQ(all.size(), together);
}

TEST(Scenario, ClientsWithOneAlphabetSendDifferentBytes) {
  int same = 0;
  for (std::uint64_t position = 0; position < 100; ++position) {
    if (payload_byte(0, position) == payload_byte(4, position)) ++same;
  }
  EXPECT_LT(same, 20);
}

}  // namespace
}  // namespace antiphon
