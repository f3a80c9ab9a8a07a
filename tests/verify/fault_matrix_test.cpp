#include "verify/fault_matrix.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/programs/seed.hpp"
#include "core/rewrite.hpp"
#include "tests/verify/makers.hpp"

namespace antiphon::verify {
namespace {

FaultMatrix matrix_of(const MakeServer& make, Answers answers = Answers::everything) {
  FaultMatrixOptions options;
  options.expectations = expected_by_default();
  options.expectations.answers = answers;
  return fault_matrix(make, options);
}

/// What came of it, or "-".
std::string cell(const FaultMatrix& matrix, std::string_view instruction, Errno error, std::uint32_t length) {
  const auto found = std::ranges::find_if(matrix.cells, [&](const FaultCell& one) {
    return one.instruction == instruction && one.error == error && one.length == length;
  });
  if (found == matrix.cells.end()) return "-";
  switch (found->survival) {
    case Survival::served:
      return "served";
    case Survival::refused:
      return "refused all but " + std::to_string(found->served);
    case Survival::stopped:
      return "stopped";
    case Survival::hung:
      return "hung";
    case Survival::broke:
    case Survival::parted:
      return found->what;
  }
  return "";
}

TEST(FaultMatrix, StreamSurvives) {
  const FaultMatrix matrix = matrix_of(maker("stream"));
  EXPECT_EQ(matrix.ruling, Ruling::holds);
  EXPECT_TRUE(matrix.canary_found);
  EXPECT_EQ(matrix.untouched, (std::vector<std::string_view>{"ShutdownSend"}));
  EXPECT_EQ(cell(matrix, "Accept", Errno::MFILE, 200), "served");
  EXPECT_EQ(cell(matrix, "Recv", Errno::INTR, 200), "served");
  EXPECT_EQ(cell(matrix, "Recv", Errno::NOMEM, 8), "served");
  EXPECT_EQ(cell(matrix, "Recv", Errno::NOMEM, 200), "refused all but 0");
  EXPECT_EQ(cell(matrix, "Send", Errno::PIPE, 1), "refused all but 2");
  EXPECT_EQ(cell(matrix, "Fork", Errno::AGAIN, 1), "refused all but 2");
  EXPECT_EQ(cell(matrix, "Listen", Errno::ADDRINUSE, 1), "stopped");
  EXPECT_EQ(cell(matrix, "Close", Errno::IO, 8), "served");
}

TEST(FaultMatrix, OnceSurvives) {
  const FaultMatrix matrix = matrix_of(maker("once"), Answers::first_message);
  EXPECT_EQ(matrix.ruling, Ruling::holds);
  EXPECT_TRUE(matrix.untouched.empty());
  EXPECT_EQ(cell(matrix, "ShutdownSend", Errno::NOTCONN, 1), "refused all but 2");
}

TEST(FaultMatrix, TheOriginalDoesNot) {
  const FaultMatrix matrix = matrix_of([](const Endpoint&) { return seed::echo_server(); });
  EXPECT_EQ(matrix.ruling, Ruling::violated);
  EXPECT_EQ(cell(matrix, "Accept", Errno::CONNABORTED, 1), "admission");
  EXPECT_EQ(cell(matrix, "Listen", Errno::ADDRINUSE, 1), "released");
}

TEST(FaultMatrix, WhoGivesUpTooSoonLoses) {
  const auto impatient = [](const Endpoint& at) {
    return replace<Recv>(maker("stream")(at), [](const Recv& recv) {
      return recv >> [](const Result<Bytes>& message) {
        return ret(!message && message.error() == Errno::NOMEM ? Result<Bytes>(Bytes()) : message);
      };
    });
  };
  const FaultMatrix matrix = matrix_of(impatient);
  EXPECT_EQ(matrix.ruling, Ruling::violated);
  EXPECT_EQ(cell(matrix, "Recv", Errno::NOMEM, 1), "input-read");
  EXPECT_EQ(cell(matrix, "Recv", Errno::NOBUFS, 1), "served");
}

class FaultMatrixOn : public testing::TestWithParam<Stage> {};

TEST_P(FaultMatrixOn, StreamSurvivesOnTheKernel) {
  if (const auto why = why_not(GetParam())) GTEST_SKIP() << *why;
  FaultMatrixOptions options;
  options.stage = GetParam();
  options.lengths = {1};
  options.expectations = expected_by_default();
  const FaultMatrix matrix = fault_matrix(maker("stream"), options);
  EXPECT_EQ(matrix.ruling, Ruling::holds);
  EXPECT_EQ(matrix.cells.size(), 100U);
}

INSTANTIATE_TEST_SUITE_P(Stages, FaultMatrixOn, testing::Values(Stage::fork, Stage::epoll, Stage::uring),
                         [](const auto& tested) {
                           return std::string(stage_names[static_cast<std::size_t>(tested.param)]);
                         });

}  // namespace
}  // namespace antiphon::verify
