#include "interpreters/sandbox/sandbox.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <new>
#include <string>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "interpreters/uring.hpp"
#include "tests/attacks.hpp"

namespace antiphon::sandbox {
namespace {

constexpr int done = 0;
constexpr int refused = 1;

/// The status of a process that does this, as wait(2) tells it.
int status_after(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) std::_Exit(work());
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

bool ended_by_the_filter(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS; }
bool ended_with(int status, int code) { return WIFEXITED(status) && WEXITSTATUS(status) == code; }

Profile profile_for(Interpreter interpreter) {
  Surroundings surroundings;
  surroundings.interpreter = interpreter;
  return profile_of(reach_of(*program_named("stream")), surroundings);
}

constexpr const char* sanitized = "a sanitizer needs more than a server does";

class Closed : public testing::TestWithParam<Interpreter> {
 protected:
  void SetUp() override {
    if (const auto why = why_no_filter()) GTEST_SKIP() << *why;
  }
};

INSTANTIATE_TEST_SUITE_P(sandbox, Closed, testing::Values(Interpreter::fork, Interpreter::epoll, Interpreter::uring));

TEST_P(Closed, every_attack_is_stopped_that_succeeds_outside) {
  const Sandbox closed(profile_for(GetParam()));
  for (const attacks::Attack& attack : attacks::all) {
    const auto attempt = [&] { return attacks::succeeds(attack) ? done : refused; };
    const int outside = status_after([&] {
      attacks::open_listener();
      return attempt();
    });
    EXPECT_TRUE(ended_with(outside, done)) << attack.name;
    const int inside = status_after([&] {
      attacks::open_listener();
      closed.limit_process();
      closed.close_thread();
      return attempt();
    });
    EXPECT_TRUE(ended_by_the_filter(inside) || ended_with(inside, refused)) << attack.name << ' ' << inside;
  }
}

/// Of a server that ends connections, sends notices, and is judged and counted.
Surroundings with_helpers(Interpreter interpreter) {
  return {.interpreter = interpreter, .trace_folder = {}, .monitor = true, .metrics = true, .notices = true};
}

TEST_P(Closed, a_server_that_may_send_and_shut_down_connects_to_nobody) {
  if (built_with_sanitizer()) GTEST_SKIP() << sanitized;
  for (const bool opens : {false, true}) {
    Reach reach{.anywhere = {}, .listening = all_of(Net{}), .why_not_exact = ""};
    reach.listening.erase(Connect::name);
    if (!opens) reach.listening.erase(OpenSocket::name);
    const Sandbox closed(profile_of(reach, with_helpers(GetParam())));
    const auto status_of = [&](long (*attempt)()) {
      return status_after([&] {
        attacks::open_listener();
        closed.close_thread();
        return attempt() < 0 ? refused : done;
      });
    };
    EXPECT_TRUE(ended_with(status_of([] { return syscall(SYS_shutdown, attacks::listener, SHUT_WR); }), done));
    EXPECT_TRUE(ended_by_the_filter(status_of([] { return syscall(SYS_shutdown, attacks::listener, SHUT_RD); })));
    EXPECT_TRUE(ended_by_the_filter(status_of(attacks::connect_the_listener)));
    EXPECT_TRUE(ended_by_the_filter(status_of(attacks::send_to_an_address)));
    EXPECT_TRUE(ended_by_the_filter(status_of([] { return syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0); })));
    if (opens) {
      EXPECT_TRUE(ended_with(status_of([] { return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0); }), done));
    }
  }
}

/// The first exception of a process has the runtime make its tables.
bool throws_and_catches() {
  try {
    throw std::bad_alloc();
  } catch (const std::bad_alloc&) {
    return true;
  }
}

TEST_P(Closed, what_is_needed_is_let_through) {
  if (built_with_sanitizer()) GTEST_SKIP() << sanitized;
  const Sandbox closed(profile_for(GetParam()));
  const int status = status_after([&] {
    closed.close_thread();
    void* const memory = std::malloc(1 << 24);
    std::free(memory);
    const bool writes = write(STDERR_FILENO, "", 0) == 0;
    return memory != nullptr && writes && throws_and_catches() ? done : refused;
  });
  EXPECT_TRUE(ended_with(status, done)) << status;
}

/// Landlock alone, where it has no filter before it.
TEST(landlock, takes_files_and_ports) {
  if (landlock_version() == 0) GTEST_SKIP() << not_confined_by(0).front();
  const auto makes_a_file = [](const std::string& folder) {
    const int made = open((folder + "/sandbox_test").c_str(), O_WRONLY | O_CREAT, 0600);
    return made >= 0 && unlink((folder + "/sandbox_test").c_str()) == 0;
  };
  const auto reads_a_file = [] { return open("/etc/passwd", O_RDONLY) >= 0; };
  EXPECT_TRUE(makes_a_file("/tmp"));
  EXPECT_TRUE(makes_a_file("/dev/shm"));
  EXPECT_TRUE(reads_a_file());
  Grounds grounds;
  const auto confined = [&](const std::function<bool()>& what) {
    const int status = status_after([&] {
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      confine(grounds);
      return what() ? done : refused;
    });
    return ended_with(status, refused);
  };
  EXPECT_TRUE(confined([&] { return makes_a_file("/tmp"); }));
  EXPECT_TRUE(confined(reads_a_file));
  grounds.folder = "/tmp";
  EXPECT_FALSE(confined([&] { return makes_a_file("/tmp"); }));
  EXPECT_TRUE(confined([&] { return makes_a_file("/dev/shm"); }));
  EXPECT_TRUE(confined(reads_a_file));
}

TEST(landlock, takes_signals_to_processes_outside) {
  constexpr int version_with_signals = 6;
  if (landlock_version() < version_with_signals) GTEST_SKIP() << not_confined_by(landlock_version()).back();
  Grounds grounds;
  const auto signals = [&](bool outside) {
    return ended_with(status_after([&] {
                        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                        confine(grounds);
                        return kill(outside ? getppid() : getpid(), 0) == 0 ? done : refused;
                      }),
                      done);
  };
  EXPECT_TRUE(signals(false));
  EXPECT_FALSE(signals(true));
  grounds.signals = true;
  EXPECT_TRUE(signals(true));
}

TEST(sandbox, drops_what_root_could_do) {
  if (built_with_sanitizer()) GTEST_SKIP() << sanitized;
  if (geteuid() != 0) GTEST_SKIP() << "only root has something to drop";
  const auto lifts_a_limit = [] { return prctl(PR_CAPBSET_READ, 0, 0, 0, 0) == 1 ? done : refused; };
  EXPECT_TRUE(ended_with(status_after(lifts_a_limit), done));
  const int status = status_after([&] {
    Profile profile;
    for (const char* needed : {"prctl", "exit_group"}) profile.needs.push_back({"", call(needed), ""});
    Sandbox(profile).close_thread();
    return lifts_a_limit();
  });
  EXPECT_TRUE(ended_with(status, refused)) << status;
}

// -- The ring ----------------------------------------------------------------------------------------------------

/// What a Recv of a silent connection answers on a ring that may be asked these operations.
Result<Unit> recv_on(const std::optional<std::vector<std::uint8_t>>& operations) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  socklen_t size = sizeof(at);
  bind(listener, reinterpret_cast<const sockaddr*>(&at), size);
  listen(listener, 1);
  getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size);
  const Endpoint to{"127.0.0.1", ntohs(at.sin_port)};
  LoopOptions options;
  options.ring_operations = operations;
  const Server program = Connect{to, {.wait_ms = 10'000, .drain_ms = forever_ms}} >> [](const Result<Socket>& peer) {
    return Recv{peer.value(), 10, {.wait_ms = 1, .drain_ms = forever_ms}} >>
           [](const Result<Bytes>& received) { return ret(Result<Unit>(failed(received.error()))); };
  };
  const LoopReport report = run_on_uring(program, options);
  close(listener);
  return report.result;
}

TEST(ring, refuses_what_the_program_never_issues) {
  if (const auto why = why_no_uring()) GTEST_SKIP() << *why;
  const auto of = [](const InstructionNames& instructions) {
    return ring_operations(needs_of(instructions, Interpreter::uring));
  };
  EXPECT_EQ(recv_on(std::nullopt), Result<Unit>(failed(Errno::EXPIRED)));
  EXPECT_EQ(recv_on(of({"Connect", "Recv"})), Result<Unit>(failed(Errno::EXPIRED)));
  EXPECT_EQ(recv_on(of({"Connect", "Send"})), Result<Unit>(failed(Errno::ACCES)));
}

}  // namespace
}  // namespace antiphon::sandbox
