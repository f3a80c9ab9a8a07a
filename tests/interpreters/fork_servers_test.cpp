#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "core/programs/seed.hpp"
#include "interpreters/fork.hpp"

/// Whole servers on the fork interpreter, each in a process of its own.

namespace antiphon {
namespace {

constexpr Deadline patient{.wait_ms = 10'000, .drain_ms = forever_ms};
const Endpoint any_port{"127.0.0.1", 0};

/// The seed's address is fixed; here it serves at any free port, and the test learns which.
class AnyPort {
 public:
  explicit AnyPort(ForkHandler& handler, int report_to) : handler_(&handler), report_to_(report_to) {}

  template <Instruction I>
  typename I::Response operator()(const I& instruction) {
    if constexpr (std::same_as<I, OpenSocket>) {
      return (*handler_)(OpenSocket{any_port});
    } else {
      typename I::Response response = (*handler_)(instruction);
      if constexpr (std::same_as<I, Listen>) {
        if (write(report_to_, &response->port, sizeof(response->port)) < 0) std::_Exit(1);
      }
      return response;
    }
  }

 private:
  ForkHandler* handler_;
  int report_to_;
};

/// A server in a process of its own, until this object ends.
class Serving {
 public:
  explicit Serving(const Server& server) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    pid_ = fork();
    if (pid_ == 0) {
      {
        ForkHandler handler;
        run(server, AnyPort(handler, ends[1]));
        handler.await_children(10'000);
      }
      std::_Exit(0);
    }
    EXPECT_EQ(read(ends[0], &port_, sizeof(port_)), static_cast<ssize_t>(sizeof(port_)));
    close(ends[0]);
    close(ends[1]);
  }
  ~Serving() {
    kill(pid_, SIGTERM);
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

  [[nodiscard]] Endpoint at() const { return {"127.0.0.1", port_}; }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
};

/// Sends the parts one after the other, each when the echo of the one before is here, and then reads to the end.
std::string converse(const Endpoint& server, const std::vector<std::string>& parts) {
  ForkHandler handler;
  const Socket connection = handler(Connect{server, patient}).value();
  std::string heard;
  std::size_t said = 0;
  for (const std::string& part : parts) {
    if (!handler(Send{connection, Bytes::copy_of(part), patient})) break;
    said += part.size();
    while (heard.size() < said) {
      const Result<Bytes> more = handler(Recv{connection, 4096, patient});
      if (!more || more->empty()) return heard;
      heard += more->content();
    }
  }
  static_cast<void>(handler(ShutdownSend{connection}));
  for (;;) {
    const Result<Bytes> more = handler(Recv{connection, 4096, patient});
    if (!more || more->empty()) return heard;
    heard += more->content();
  }
}

/// How many children of a process wait to be reaped.
int zombies_of(pid_t parent) {
  int count = 0;
  DIR* const listing = opendir("/proc");
  while (const dirent* const entry = readdir(listing)) {
    const std::string name = std::string("/proc/") + entry->d_name + "/stat";
    FILE* const file = std::atoi(entry->d_name) > 0 ? std::fopen(name.c_str(), "r") : nullptr;
    if (file == nullptr) continue;
    char state = 0;
    int its_parent = 0;
    if (std::fscanf(file, "%*d (%*[^)]) %c %d", &state, &its_parent) == 2)
      count += its_parent == parent && state == 'Z';
    std::fclose(file);
  }
  closedir(listing);
  return count;
}

TEST(ForkHandler, RunsTheStreamServer) {
  const Serving server(*program_named("stream"));
  EXPECT_EQ(converse(server.at(), {"one", "two", std::string(5000, 'x')}), "onetwo" + std::string(5000, 'x'));
}

TEST(ForkHandler, RunsTheOnceServer) {
  const Serving server(*program_named("once"));
  EXPECT_EQ(converse(server.at(), {"one", "two"}), "one");
}

TEST(ForkHandler, RunsTheSeedWithItsDefects) {
  const Serving server(seed::echo_server());
  EXPECT_EQ(converse(server.at(), {"one", "two"}), "one");
  EXPECT_EQ(converse(server.at(), {std::string(1000, 'x')}), std::string(1000, 'x'));
  // Nobody waits for the children.
  while (zombies_of(server.pid()) < 2) std::this_thread::yield();
  EXPECT_EQ(converse(server.at(), {"again"}), "again");
  EXPECT_GE(zombies_of(server.pid()), 2);
}

}  // namespace
}  // namespace antiphon
