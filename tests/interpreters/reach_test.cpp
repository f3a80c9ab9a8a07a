#include "interpreters/reach.hpp"

#include <gtest/gtest.h>

#include "core/programs/catalogue.hpp"
#include "tests/interpreters/small_programs.hpp"

namespace antiphon {
namespace {

using namespace small;

const Socket listener{0};

Reach reach_of_named(std::string_view name) { return reach_of(*program_named(name)); }

TEST(reach, stream_gives_up_what_it_started_with) {
  const Reach reach = reach_of_named("stream");
  EXPECT_TRUE(reach.exact());
  EXPECT_EQ(reach.listening, (InstructionNames{"Accept", "Close", "Fork", "Recv", "Send", "Sleep"}));
  InstructionNames anywhere = reach.listening;
  anywhere.insert({"DiscardChildren", "OpenSocket", "Listen"});
  EXPECT_EQ(reach.anywhere, anywhere);
}

TEST(reach, once_ends_its_side_too) {
  InstructionNames of_stream = reach_of_named("stream").listening;
  of_stream.insert("ShutdownSend");
  EXPECT_EQ(reach_of_named("once").listening, of_stream);
}

TEST(reach, the_seed_never_rests) {
  EXPECT_EQ(reach_of_named("seed").listening, (InstructionNames{"Accept", "Close", "Fork", "Recv", "Send"}));
}

TEST(reach, who_counts_children_by_address_is_known) {
  EXPECT_FALSE(reach_of_named("stream").counts_addresses);
  EXPECT_TRUE(reach_of(*program_named("stream", {.server = {.max_per_address = 2}, .session = {}})).counts_addresses);
  const auto forks_before_and_then = [](const Fork& before, const Fork& then) {
    return reach_of(before >> [=](const Result<Forked>&) { return all(Listen{listener, 1}, then); });
  };
  const Fork counts{unlimited, 1, listener};
  EXPECT_TRUE(forks_before_and_then(Fork{}, counts).counts_addresses);
  EXPECT_TRUE(forks_before_and_then(counts, Fork{}).counts_addresses);
  EXPECT_FALSE(forks_before_and_then(Fork{}, Fork{unlimited, unlimited, listener}).counts_addresses);
}

TEST(reach, what_follows_a_listen_that_failed_does_not_count) {
  const Server program = Listen{listener, 1} >>
                         [](const Result<Endpoint>& bound) { return bound ? all(Accept{listener}) : all(Sleep{1}); };
  const Reach reach = reach_of(program);
  EXPECT_EQ(reach.anywhere, (InstructionNames{"Listen", "Accept", "Sleep"}));
  EXPECT_EQ(reach.listening, InstructionNames{"Accept"});
}

TEST(reach, who_listens_again_keeps_what_that_takes) {
  const Server program = iter(Unit{}, [](const Unit&) {
    using Turn = Step<Unit, Result<Unit>>;
    return OpenSocket{} >> [](const Result<Socket>&) {
      return Listen{listener, 1} >> [](const Result<Endpoint>&) { return ret(Turn{Continue{Unit{}}}); };
    };
  });
  const Reach reach = reach_of(program);
  EXPECT_EQ(reach.listening, reach.anywhere);
}

TEST(reach, who_forks_before_it_listens_gives_up_nothing) {
  const Server program =
      fork_into([] { return all(Listen{listener, 1}, Accept{listener}); }, [] { return all(Connect{}); });
  const Reach reach = reach_of(program);
  EXPECT_TRUE(reach.exact());
  EXPECT_EQ(reach.listening, (InstructionNames{"Fork", "Listen", "Accept", "Connect"}));
}

TEST(reach, a_program_that_looks_at_content_is_bounded_by_its_effects) {
  const Server program = Recv{Socket{3}, 10, {}} >> [](const Result<Bytes>& message) {
    return message && message->view() == "open" ? all(Connect{}) : over();
  };
  const Reach reach = reach_of(program);
  EXPECT_FALSE(reach.exact());
  EXPECT_NE(reach.why_not_exact.find("looks at content"), std::string::npos) << reach.why_not_exact;
  EXPECT_EQ(reach.listening, all_of(Net{}));
  EXPECT_EQ(reach.anywhere, all_of(Net{}));
  EXPECT_TRUE(reach.counts_addresses);

  const InstructionNames written_in = all_of(Effects<Recv, Connect>{});
  EXPECT_EQ(reach_of(program, written_in).listening, written_in);
  EXPECT_FALSE(reach_of(program, written_in).counts_addresses);
}

TEST(reach, a_walk_that_was_cut_is_no_proof) {
  const Reach reach = reach_of(*program_named("stream"), all_of(Net{}), {.most_points = 3});
  EXPECT_FALSE(reach.exact());
  EXPECT_EQ(reach.listening, all_of(Net{}));
}

}  // namespace
}  // namespace antiphon
