#include "core/result.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>

namespace antiphon {
namespace {

TEST(Result, IsAValueOrTheReason) {
  EXPECT_EQ(Result<int>(3).value(), 3);
  EXPECT_EQ(Result<int>(failed(Errno::PIPE)).error(), Errno::PIPE);
}

TEST(Errno, HasTheNumbersOfLinux) {
  EXPECT_EQ(Errno{EINTR}, Errno::INTR);
  EXPECT_EQ(Errno{EAGAIN}, Errno::AGAIN);
  EXPECT_EQ(Errno{EMFILE}, Errno::MFILE);
  EXPECT_EQ(Errno{EPIPE}, Errno::PIPE);
  EXPECT_EQ(Errno{EADDRINUSE}, Errno::ADDRINUSE);
  EXPECT_EQ(Errno{ECONNRESET}, Errno::CONNRESET);
  EXPECT_EQ(Errno{ENOBUFS}, Errno::NOBUFS);
  EXPECT_EQ(Errno{ETIMEDOUT}, Errno::TIMEDOUT);
}

TEST(Errno, IsNamedAsTheManualPagesDo) {
  EXPECT_EQ(name_of(Errno::CONNRESET), "ECONNRESET");
  EXPECT_EQ(name_of(Errno::STOPPING), "Stopping");
  EXPECT_EQ(name_of(Errno::EXPIRED), "Expired");
  EXPECT_EQ(name_of(Errno{5000}), "errno 5000");
}

TEST(Errno, NamesRoundTrip) {
  std::set<std::string> names;
  for (int number = 1; number <= 1100; ++number) {
    const std::string name = name_of(Errno{number});
    EXPECT_TRUE(names.insert(name).second) << name << " names two";
    EXPECT_EQ(errno_named(name), Errno{number}) << name;
  }
}

TEST(Errno, OtherNamesAreNoErrno) {
  for (const char* const name : {"", "EWHAT", "CONNRESET", "econnreset", "errno", "errno ", "errno x", "errno 0",
                                 "errno -4", "errno 4x", "errno 99999999999", " EINTR", "EINTR "}) {
    EXPECT_FALSE(errno_named(name)) << name;
  }
  EXPECT_EQ(errno_named("EWHAT").error(), "no errno is called 'EWHAT'");
}

}  // namespace
}  // namespace antiphon
