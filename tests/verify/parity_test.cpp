#include "verify/parity.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "core/rewrite.hpp"
#include "tests/verify/makers.hpp"

namespace antiphon::verify {
namespace {

ParityOptions options(Stage stage, std::uint64_t runs) {
  ParityOptions made;
  made.stage = stage;
  made.runs = runs;
  made.generation = {4, *faults_named("all")};
  made.expectations = expected_by_default();
  return made;
}

class ParityOn : public testing::TestWithParam<Stage> {};

INSTANTIATE_TEST_SUITE_P(Stages, ParityOn, testing::Values(Stage::fork, Stage::epoll, Stage::uring),
                         [](const auto& stage) {
                           return std::string(stage_names[static_cast<std::size_t>(stage.param)]);
                         });

/// A fuzzer in small: what differs is a defect of the simulator or of the interpreter.
TEST_P(ParityOn, RandomScenariosGoTheSameWayOnTheKernel) {
  if (const auto why = why_not(GetParam())) GTEST_SKIP() << *why;
  for (const std::string program : {"stream", "once"}) {
    ParityOptions made = options(GetParam(), 40);
    if (program == "once") made.expectations.answers = Answers::first_message;
    const ParityResult result = check_parity(maker(program), made);
    ASSERT_FALSE(result.gap) << result.gap->difference.place << ": " << result.gap->difference.simulated << " | "
                             << result.gap->difference.performed << '\n'
                             << describe(result.gap->scenario);
    EXPECT_EQ(result.ruling, Ruling::holds) << (result.remarks.empty() ? "" : result.remarks.front());
    EXPECT_TRUE(result.planted_found);
    // More would be no accident of a busy machine.
    EXPECT_LE(result.tried_again + result.cut_short, 4U);
    EXPECT_EQ(result.runs, 40U);
    EXPECT_GT(result.steps, 40 * 20U);
    EXPECT_GT(result.total.bytes_sent, 0U);
  }
}

TEST(Parity, AViolationIsSeenOnTheKernelToo) {
  const auto gives_up = [](const Endpoint& at) {
    return replace<Send>(maker("stream")(at), [](const Send& send) -> Program<Net, Result<std::size_t>> {
      return send >> [](const Result<std::size_t>&) { return ret(Result<std::size_t>(failed(Errno::PIPE))); };
    });
  };
  const ParityResult result = check_parity(gives_up, options(Stage::epoll, 10));
  EXPECT_EQ(result.ruling, Ruling::violated);
  EXPECT_FALSE(result.gap);
  ASSERT_FALSE(result.findings.empty());
  for (const PerformedFinding& one : result.findings) {
    EXPECT_TRUE(one.on_the_kernel) << one.finding.violation.clause.name;
    EXPECT_EQ(one.finding.scenario.clients.size(), 1U);
  }
}

TEST(Parity, ADifferenceIsShrunk) {
  // Its continuation is not pure: in the server's process it does another thing.
  const pid_t here = getpid();
  const auto impure = [here](const Endpoint& at) {
    return replace<Send>(maker("stream")(at), [here](const Send& send) -> Program<Net, Result<std::size_t>> {
      if (getpid() == here) return send;
      return Send{send.to, Bytes::copy_of(std::string(send.bytes.size(), '?')), send.until};
    });
  };
  ParityOptions made = options(Stage::epoll, 10);
  made.generation.faults = *faults_named("none");
  const ParityResult result = check_parity(impure, made);
  EXPECT_EQ(result.ruling, Ruling::violated);
  ASSERT_TRUE(result.gap);
  EXPECT_EQ(result.gap->difference.simulated.substr(0, 18), "process 1: Send 1 ");
  EXPECT_EQ(result.gap->scenario.clients.size(), 1U);
  EXPECT_EQ(result.runs, result.gap->found_in_run) << "nothing is run after it";
}

}  // namespace
}  // namespace antiphon::verify
