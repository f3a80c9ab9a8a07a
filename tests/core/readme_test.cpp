// The example of README.md, as it stands there, and what it says of itself.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "core/handler.hpp"
#include "core/instructions.hpp"
#include "tests/rapidcheck.hpp"

using namespace antiphon;

// README begins
// The program, a value: sends a message whole, however the world cuts it up.
Program<Effects<Send>, bool> send_whole(Socket to, const Bytes& message) {
  using Turn = Step<Bytes, bool>;
  return iter(message, [=](const Bytes& rest) {
    return Send{to, rest, {}} >> [=](const Result<std::size_t>& sent) {
      if (!sent) return ret(Turn{Break{false}});
      const Bytes left = rest.drop(*sent);
      return ret(left.empty() ? Turn{Break{true}} : Turn{Continue{left}});
    };
  });
}

// A real handler: the kernel.
struct Kernel {
  Result<std::size_t> operator()(const Send& send) const {
    const std::string_view bytes = send.bytes.content();
    const ssize_t sent = ::send(send.to.number, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return failed(Errno{errno});
    return static_cast<std::size_t>(sent);
  }
};

// A pure handler: a world that takes three bytes at a time, and keeps them.
struct Notebook {
  std::string kept;

  Result<std::size_t> operator()(const Send& send) {
    const Bytes part = send.bytes.take(3);
    kept += part.content();
    return part.size();
  }
};

// A law, for every message: nothing is lost.
RC_GTEST_PROP(SendWhole, LosesNothing, (const std::string& message)) {
  Notebook world;
  RC_ASSERT(run(send_whole(Socket{1}, Bytes::copy_of("> " + message)), world));
  RC_ASSERT(world.kept == "> " + message);
}
// README ends

TEST(SendWhole, WorksOnTheKernelToo) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  EXPECT_TRUE(run(send_whole(Socket{ends[0]}, Bytes::copy_of("hello\n")), Kernel{}));
  char got[16] = {};
  EXPECT_EQ(read(ends[1], got, sizeof got), 6);
  EXPECT_STREQ(got, "hello\n");
  close(ends[1]);
  EXPECT_FALSE(run(send_whole(Socket{ends[0]}, Bytes::copy_of("hello\n")), Kernel{}));
  close(ends[0]);
}
