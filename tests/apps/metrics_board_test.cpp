#include "apps/metrics_board.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace antiphon {
namespace {

TEST(Histogram, ClassesEndAtPowersOfTwoAndHoldTheirEnd) {
  EXPECT_EQ(EchoLatency::class_of(0), 0);
  EXPECT_EQ(EchoLatency::class_of(1024), 0);
  EXPECT_EQ(EchoLatency::class_of(1025), 1);
  EXPECT_EQ(EchoLatency::class_of(2048), 1);
  EXPECT_EQ(EchoLatency::class_of(std::uint64_t{1} << 34), EchoLatency::bounded_classes - 1);
  EXPECT_EQ(EchoLatency::class_of((std::uint64_t{1} << 34) + 1), EchoLatency::bounded_classes);
  EXPECT_EQ(EchoLatency::class_of(~std::uint64_t{0}), EchoLatency::bounded_classes);
}

TEST(ResultKind, KeepsErrnosApartAndNamesThem) {
  EXPECT_EQ(result_name(0), "ok");
  EXPECT_EQ(result_name(result_kind(Errno::CONNRESET)), "ECONNRESET");
  EXPECT_EQ(result_name(result_kind(Errno::EXPIRED)), "Expired");
  EXPECT_EQ(result_name(result_kind(Errno::STOPPING)), "Stopping");
  EXPECT_EQ(result_name(result_kind(Errno{133})), "errno 133");
  for (const int unknown : {0, -1, 134, 2000}) EXPECT_EQ(result_name(result_kind(Errno{unknown})), "other");
  EXPECT_EQ(result_kind(Errno{134}), result_kinds - 1);
}

TEST(MetricsBoard, IsSharedWithWhatIsForked) {
  const MetricsBoard board(3);
  ASSERT_EQ(board.slots().size(), 3);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&board.slot(1)) % 64, 0) << "two workers must not share a cache line";
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    board.slot(2).accepted.fetch_add(7);
    std::_Exit(0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(board.slot(2).accepted, 7);
  EXPECT_EQ(board.slot(1).accepted, 0);
}

}  // namespace
}  // namespace antiphon
