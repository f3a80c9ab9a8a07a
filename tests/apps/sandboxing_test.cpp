#include "apps/sandboxing.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "tests/attacks.hpp"

namespace antiphon {
namespace {

/// The status of a process, in the sandbox that the metrics have, that attempts this with a listener of its own.
int status_after(long (*attempt)()) {
  const pid_t child = fork();
  if (child == 0) {
    attacks::open_listener();
    const auto closed = metrics_sandbox({});
    closed->confine_thread();
    closed->filter_all_threads();
    std::_Exit(attempt() >= 0 ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST(MetricsSandbox, ConnectsToNobody) {
  if (const auto why = why_no_sandbox()) GTEST_SKIP() << *why;
  const auto ends_by_sigsys = [](int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS; };
  EXPECT_EQ(status_after([] { return syscall(SYS_shutdown, attacks::listener, SHUT_WR); }), 0);
  EXPECT_TRUE(ends_by_sigsys(status_after([] { return syscall(SYS_shutdown, attacks::listener, SHUT_RD); })));
  EXPECT_TRUE(ends_by_sigsys(status_after([] { return attacks::send_to_an_address(attacks::listener); })));
}

}  // namespace
}  // namespace antiphon
