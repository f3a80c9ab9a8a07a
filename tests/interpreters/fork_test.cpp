#include "interpreters/fork.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <set>
#include <string>
#include <thread>

namespace antiphon {
namespace {

constexpr Deadline patient{.wait_ms = 10'000, .drain_ms = forever_ms};
const Endpoint any_port{"127.0.0.1", 0};

/// A connection with both its ends in one handler.
struct Ends {
  Socket listener;
  Socket client;
  Socket server;
};

Ends connect(ForkHandler& handler) {
  Ends ends;
  ends.listener = handler(OpenSocket{any_port}).value();
  const Endpoint bound = handler(Listen{ends.listener, 8}).value();
  ends.client = handler(Connect{bound, patient}).value();
  ends.server = handler(Accept{ends.listener}).value();
  return ends;
}

Result<std::string> receive(ForkHandler& handler, Socket from, const Deadline& until = patient) {
  const Result<Bytes> received = handler(Recv{from, 100, until});
  if (!received) return failed(received.error());
  return std::string(received->content());
}

std::set<int> open_descriptors() {
  std::set<int> open;
  DIR* const listing = opendir("/proc/self/fd");
  while (const dirent* const entry = readdir(listing)) {
    if (entry->d_name[0] != '.') open.insert(std::atoi(entry->d_name));
  }
  open.erase(dirfd(listing));
  closedir(listing);
  return open;
}

/// Forks by the handler. The child runs `child` and leaves with what it returns; the parent gets the child's pid.
pid_t fork_child(ForkHandler& handler, const std::function<int()>& child) {
  const Forked forked = handler(Fork{}).value();
  if (std::holds_alternative<Child>(forked)) std::_Exit(child());
  return static_cast<pid_t>(std::get<Parent>(forked).child.number);
}

int exit_status_of(pid_t child) {
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

bool is_zombie(pid_t child) {
  siginfo_t about{};
  return waitid(P_PID, static_cast<id_t>(child), &about, WEXITED | WNOHANG | WNOWAIT) == 0 && about.si_pid == child;
}

// -- Sockets -----------------------------------------------------------------------------------------------------

TEST(ForkHandler, CarriesBytesBothWaysAndTheEnd) {
  ForkHandler handler;
  const Ends ends = connect(handler);
  EXPECT_EQ(handler(Send{ends.client, Bytes::copy_of("call"), patient}), 4U);
  EXPECT_EQ(receive(handler, ends.server), "call");
  EXPECT_EQ(handler(Send{ends.server, Bytes::copy_of("response").drop(3), patient}), 5U);
  EXPECT_EQ(receive(handler, ends.client), "ponse");
  EXPECT_EQ(handler(ShutdownSend{ends.client}), Unit{});
  EXPECT_EQ(receive(handler, ends.server), "");
}

TEST(ForkHandler, RecvAnswersAtMostWhatItWasAskedFor) {
  ForkHandler handler;
  const Ends ends = connect(handler);
  ASSERT_EQ(handler(Send{ends.client, Bytes::copy_of("abc"), patient}), 3U);
  EXPECT_EQ(handler(Recv{ends.server, 2, patient}).value().content(), "ab");
  EXPECT_EQ(handler(Recv{ends.server, std::size_t{1} << 40U, patient}).value().content(), "c");
}

TEST(ForkHandler, NamesSocketsByTheLowestFreeNumber) {
  ForkHandler handler;
  EXPECT_EQ(handler(OpenSocket{any_port}), Socket{0});
  EXPECT_EQ(handler(OpenSocket{any_port}), Socket{1});
  EXPECT_EQ(handler(OpenSocket{any_port}), Socket{2});
  EXPECT_EQ(handler(Close{Socket{1}}), Unit{});
  EXPECT_EQ(handler(OpenSocket{any_port}), Socket{1});
  EXPECT_EQ(handler(OpenSocket{any_port}), Socket{3});
}

TEST(ForkHandler, AnUnknownNameAnswersBadf) {
  ForkHandler handler;
  for (const Socket none : {Socket{0}, Socket{-1}, Socket{1 << 30}}) {
    EXPECT_EQ(handler(Listen{none, 1}), failed(Errno::BADF));
    EXPECT_EQ(handler(Accept{none}), failed(Errno::BADF));
    EXPECT_EQ(handler(Recv{none, 1, {}}), failed(Errno::BADF));
    EXPECT_EQ(handler(Send{none, Bytes::copy_of("a"), {}}), failed(Errno::BADF));
    EXPECT_EQ(handler(ShutdownSend{none}), failed(Errno::BADF));
    EXPECT_EQ(handler(Close{none}), failed(Errno::BADF));
  }
}

TEST(ForkHandler, ListenAnswersTheBoundAddress) {
  ForkHandler handler;
  const Socket listener = handler(OpenSocket{any_port}).value();
  const Endpoint bound = handler(Listen{listener, 1}).value();
  EXPECT_EQ(bound.host, "127.0.0.1");
  EXPECT_NE(bound.port, 0);
  EXPECT_EQ(handler(OpenSocket{bound}), failed(Errno::ADDRINUSE));
}

TEST(ForkHandler, SpeaksIpv6) {
  ForkHandler handler;
  const Result<Socket> listener = handler(OpenSocket{{"::1", 0}});
  if (!listener) GTEST_SKIP() << "no IPv6 here: " << name_of(listener.error());
  const Endpoint bound = handler(Listen{*listener, 1}).value();
  EXPECT_EQ(bound.host, "::1");
  const Socket client = handler(Connect{bound, patient}).value();
  const Socket server = handler(Accept{*listener}).value();
  ASSERT_EQ(handler(Send{client, Bytes::copy_of("six"), patient}), 3U);
  EXPECT_EQ(receive(handler, server), "six");
}

TEST(ForkHandler, AnAddressThatIsNotNumericOrNotHereIsRefused) {
  ForkHandler handler;
  EXPECT_EQ(handler(OpenSocket{{"localhost", 0}}), failed(Errno::INVAL));
  EXPECT_EQ(handler(OpenSocket{{"", 0}}), failed(Errno::INVAL));
  EXPECT_EQ(handler(OpenSocket{{"192.0.2.1", 0}}), failed(Errno::ADDRNOTAVAIL));
  EXPECT_EQ(handler(Connect{{"no address", 1}, {}}), failed(Errno::INVAL));
}

TEST(ForkHandler, ConnectIsRefusedWhereNobodyListens) {
  ForkHandler handler;
  const Socket listener = handler(OpenSocket{any_port}).value();
  const Endpoint bound = handler(Listen{listener, 1}).value();
  ASSERT_EQ(handler(Close{listener}), Unit{});
  EXPECT_EQ(handler(Connect{bound, patient}), failed(Errno::CONNREFUSED));
}

TEST(ForkHandler, AResetAndABrokenPipeAreResponses) {
  ForkHandler handler;
  const Ends ends = connect(handler);
  ASSERT_EQ(handler(Send{ends.server, Bytes::copy_of("unread"), patient}), 6U);
  // Closing with unread input resets.
  ASSERT_EQ(handler(Close{ends.client}), Unit{});
  EXPECT_EQ(receive(handler, ends.server), failed(Errno::CONNRESET));
  EXPECT_EQ(handler(Send{ends.server, Bytes::copy_of("a"), patient}), failed(Errno::PIPE));
}

TEST(ForkHandler, AcceptOnASocketThatDoesNotListenAnswersInval) {
  ForkHandler handler;
  const Socket opened = handler(OpenSocket{any_port}).value();
  EXPECT_EQ(handler(Accept{opened}), failed(Errno::INVAL));
}

TEST(ForkHandler, SendAnswersHowMuchWentAndExpiresWhenThePeerDoesNotRead) {
  ForkHandler handler;
  const Ends ends = connect(handler);
  const Bytes large = Bytes::copy_of(std::string(std::size_t{1} << 20U, 'x'));
  Result<std::size_t> sent;
  std::size_t total = 0;
  do {
    sent = handler(Send{ends.server, large, {.wait_ms = 50, .drain_ms = 0}});
    total += sent.value_or(0);
  } while (sent);
  EXPECT_EQ(sent, failed(Errno::EXPIRED));
  EXPECT_GT(total, 0U);
}

TEST(ForkHandler, AddsNothingButCloseOnExec) {
  const std::set<int> before = open_descriptors();
  {
    ForkHandler handler;
    connect(handler);
    for (const int descriptor : open_descriptors()) {
      if (before.contains(descriptor)) continue;
      EXPECT_EQ(fcntl(descriptor, F_GETFD), FD_CLOEXEC) << descriptor;
    }
  }
  EXPECT_EQ(open_descriptors(), before);
}

// -- Deadlines and the stop --------------------------------------------------------------------------------------

TEST(ForkHandler, AWaitExpires) {
  ForkHandler handler;
  const Ends ends = connect(handler);
  EXPECT_EQ(receive(handler, ends.server, {.wait_ms = 0, .drain_ms = 0}), failed(Errno::EXPIRED));
  EXPECT_EQ(receive(handler, ends.server, {.wait_ms = -5, .drain_ms = 0}), failed(Errno::EXPIRED));
  EXPECT_EQ(receive(handler, ends.server, {.wait_ms = 5, .drain_ms = 0}), failed(Errno::EXPIRED));
  // What is there already does not wait.
  ASSERT_EQ(handler(Send{ends.client, Bytes::copy_of("a"), patient}), 1U);
  EXPECT_EQ(receive(handler, ends.server, {.wait_ms = 0, .drain_ms = 0}), "a");
}

TEST(ForkHandler, SleepLastsAsLongAsAsked) {
  ForkHandler handler;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(handler(Sleep{20}), Unit{});
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(20));
  EXPECT_EQ(handler(Sleep{-1}), Unit{});
}

TEST(ForkHandler, AfterASignalWaitingInstructionsAnswerStopping) {
  for (const int signal : {SIGTERM, SIGINT}) {
    ForkHandler handler;
    const Ends ends = connect(handler);
    const Endpoint nobody{"127.0.0.1", 1};
    ASSERT_EQ(handler(Send{ends.client, Bytes::copy_of("a"), patient}), 1U);
    raise(signal);
    EXPECT_EQ(handler(Accept{ends.listener}), failed(Errno::STOPPING));
    EXPECT_EQ(handler(Sleep{60'000}), failed(Errno::STOPPING));
    EXPECT_EQ(handler(Sleep{0}), failed(Errno::STOPPING));
    // Even what could go on without waiting.
    EXPECT_EQ(receive(handler, ends.server, {}), failed(Errno::STOPPING));
    EXPECT_EQ(handler(Send{ends.server, Bytes::copy_of("b"), {}}), failed(Errno::STOPPING));
    EXPECT_EQ(handler(Connect{nobody, {}}).has_value(), false);
    raise(signal);
    EXPECT_EQ(handler(Accept{ends.listener}), failed(Errno::STOPPING));
    // What does not wait is answered as ever.
    EXPECT_EQ(handler(Close{ends.listener}), Unit{});
  }
  // The signals that came in did not outlive the handlers: else this process would have ended.
}

TEST(ForkHandler, AcceptStopsAlthoughAClientWaits) {
  ForkHandler handler;
  const Socket listener = handler(OpenSocket{any_port}).value();
  const Endpoint bound = handler(Listen{listener, 8}).value();
  ASSERT_TRUE(handler(Connect{bound, patient}).has_value());
  raise(SIGTERM);
  EXPECT_EQ(handler(Accept{listener}), failed(Errno::STOPPING));
}

TEST(ForkHandler, AProcessWhoseSendsNeverWaitHearsOfAStop) {
  ForkHandler handler;
  const Ends ends = connect(handler);
  raise(SIGTERM);
  const Send send{ends.server, Bytes::copy_of("a"), {.wait_ms = forever_ms, .drain_ms = 1}};
  EXPECT_EQ(handler(send), 1U) << "it goes ahead, and has not heard of it yet";
  Result<std::size_t> sent = 0;
  for (int sends = 0; sent && sends < 1'000'000; ++sends) {
    sent = handler(send);
    static_cast<void>(receive(handler, ends.client, {.wait_ms = 0, .drain_ms = forever_ms}));
  }
  EXPECT_EQ(sent, failed(Errno::STOPPING));
}

TEST(ForkHandler, AfterAStopADeadlineGrantsItsDrain) {
  ForkHandler handler;
  const Ends ends = connect(handler);
  raise(SIGTERM);
  ASSERT_EQ(handler(Send{ends.client, Bytes::copy_of("a"), patient}), 1U);
  EXPECT_EQ(receive(handler, ends.server, {.wait_ms = forever_ms, .drain_ms = forever_ms}), "a");
  // Nothing comes any more: the earlier of the two ends the wait.
  EXPECT_EQ(receive(handler, ends.server, {.wait_ms = forever_ms, .drain_ms = 50}), failed(Errno::STOPPING));
  EXPECT_EQ(receive(handler, ends.server, {.wait_ms = 5, .drain_ms = 600'000}), failed(Errno::EXPIRED));
  ASSERT_EQ(handler(Send{ends.client, Bytes::copy_of("b"), patient}), 1U);
  EXPECT_EQ(receive(handler, ends.server, {.wait_ms = forever_ms, .drain_ms = 50}), failed(Errno::STOPPING));
  EXPECT_EQ(receive(handler, ends.server, {.wait_ms = forever_ms, .drain_ms = 600'000}), "b");
}

TEST(ForkHandler, AStopReachesAProcessThatWaits) {
  ForkHandler handler;
  const Ends ends = connect(handler);
  const pid_t self = getpid();
  // It makes no difference whether the signal comes before the wait or during it.
  const pid_t signaller = fork_child(handler, [&] { return handler(Sleep{20}), kill(self, SIGTERM); });
  EXPECT_EQ(receive(handler, ends.server, {}), failed(Errno::STOPPING));
  EXPECT_EQ(exit_status_of(signaller), 0);
}

// -- Processes ---------------------------------------------------------------------------------------------------

constexpr int as_expected = 0;
constexpr int not_as_expected = 1;

int expect_stopping(ForkHandler& handler) {
  return handler(Sleep{60'000}) == failed(Errno::STOPPING) ? as_expected : not_as_expected;
}

TEST(ForkHandler, ForkContinuesTwiceWithTheSameSockets) {
  ForkHandler handler;
  const Ends ends = connect(handler);
  const pid_t child = fork_child(handler, [&] {
    if (handler.in_first_process()) return not_as_expected;
    const Result<std::string> heard = receive(handler, ends.server);
    if (heard != "to the child") return not_as_expected;
    return handler(Send{ends.server, Bytes::copy_of("from the child"), patient}) ? as_expected : not_as_expected;
  });
  EXPECT_TRUE(handler.in_first_process());
  EXPECT_EQ(handler.living_children(), 1);
  // The connection stands as long as one of its holders has it.
  ASSERT_EQ(handler(Close{ends.server}), Unit{});
  ASSERT_EQ(handler(Send{ends.client, Bytes::copy_of("to the child"), patient}), 12U);
  EXPECT_EQ(receive(handler, ends.client), "from the child");
  EXPECT_EQ(receive(handler, ends.client), "");
  EXPECT_EQ(exit_status_of(child), as_expected);
}

TEST(ForkHandler, AStopOfTheFirstProcessReachesAllThatItForked) {
  ForkHandler handler;
  const pid_t child = fork_child(handler, [&] {
    const pid_t grandchild = fork_child(handler, [&] { return expect_stopping(handler); });
    return expect_stopping(handler) + exit_status_of(grandchild);
  });
  raise(SIGTERM);
  EXPECT_EQ(handler(Sleep{60'000}), failed(Errno::STOPPING));
  EXPECT_EQ(exit_status_of(child), as_expected);
}

TEST(ForkHandler, TheDrainOfAChildCountsFromTheStopOfTheFirstProcess) {
  ForkHandler handler;
  const Ends ends = connect(handler);
  ASSERT_EQ(handler(Send{ends.client, Bytes::copy_of("a"), patient}), 1U);
  int gate[2];
  ASSERT_EQ(pipe(gate), 0);
  const pid_t child = fork_child(handler, [&] {
    // The child looks up long after the stop: the granted time is over then, although a byte is there.
    char opened = 0;
    if (read(gate[0], &opened, 1) != 1) return not_as_expected;
    return receive(handler, ends.server, {forever_ms, 50}) == failed(Errno::STOPPING) ? as_expected : not_as_expected;
  });
  raise(SIGTERM);
  EXPECT_EQ(handler(Sleep{0}), failed(Errno::STOPPING));
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  EXPECT_EQ(write(gate[1], "", 1), 1);
  EXPECT_EQ(exit_status_of(child), as_expected);
  close(gate[0]);
  close(gate[1]);
}

TEST(ForkHandler, ASignalToAChildStopsThatChildAlone) {
  ForkHandler handler;
  const pid_t child = fork_child(handler, [&] { return expect_stopping(handler); });
  kill(child, SIGTERM);
  EXPECT_EQ(exit_status_of(child), as_expected);
  EXPECT_EQ(handler(Sleep{1}), Unit{});
}

TEST(ForkHandler, WithoutDiscardChildrenTheyStayAsZombies) {
  ForkHandler handler;
  const pid_t child = fork_child(handler, [] { return 0; });
  while (!is_zombie(child)) ASSERT_EQ(handler(Sleep{1}), Unit{});
  EXPECT_EQ(handler(Sleep{20}), Unit{});
  EXPECT_TRUE(is_zombie(child));
  EXPECT_EQ(handler.living_children(), 1);
  EXPECT_EQ(handler.await_children(10'000), 0);
  EXPECT_FALSE(is_zombie(child));
}

TEST(ForkHandler, DiscardedChildrenLeaveNothingBehind) {
  ForkHandler handler;
  const pid_t before = fork_child(handler, [] { return 0; });
  while (!is_zombie(before)) std::this_thread::yield();
  ASSERT_EQ(handler(DiscardChildren{}), Unit{});
  EXPECT_EQ(handler.living_children(), 0);
  for (int child = 0; child < 20; ++child) fork_child(handler, [] { return 0; });
  while (handler.living_children() != 0) ASSERT_EQ(handler(Sleep{1}), Unit{});
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(ForkHandler, DiscardingIsNotInherited) {
  ForkHandler handler;
  ASSERT_EQ(handler(DiscardChildren{}), Unit{});
  const Ends ends = connect(handler);
  fork_child(handler, [&] {
    if (handler.living_children() != 0) return 1;
    const pid_t grandchild = fork_child(handler, [] { return 0; });
    while (!is_zombie(grandchild)) handler(Sleep{1});
    handler(Sleep{20});
    return handler(Send{ends.server, Bytes::copy_of(is_zombie(grandchild) ? "z" : "-"), patient}) ? 0 : 1;
  });
  EXPECT_EQ(receive(handler, ends.client), "z");
  EXPECT_EQ(handler.await_children(10'000), 0);
}

TEST(ForkHandler, ForkAnswersAgainAtItsLimit) {
  ForkHandler handler;
  ASSERT_EQ(handler(DiscardChildren{}), Unit{});
  EXPECT_EQ(handler(Fork{0}), failed(Errno::AGAIN));
  const pid_t first = fork_child(handler, [&] { return expect_stopping(handler); });
  const pid_t second = fork_child(handler, [&] { return expect_stopping(handler); });
  EXPECT_EQ(handler(Fork{2}), failed(Errno::AGAIN));
  kill(first, SIGTERM);
  while (handler.living_children() == 2) ASSERT_EQ(handler(Sleep{1}), Unit{});
  const Result<Forked> third = handler(Fork{2});
  ASSERT_TRUE(third.has_value());
  if (std::holds_alternative<Child>(*third)) std::_Exit(0);
  kill(second, SIGTERM);
  EXPECT_EQ(handler.await_children(10'000), 0);
}

TEST(ForkHandler, AwaitingChildrenEndsAtItsLimit) {
  ForkHandler handler;
  const pid_t child = fork_child(handler, [&] { return expect_stopping(handler); });
  EXPECT_EQ(handler.await_children(10), 1);
  kill(child, SIGTERM);
  EXPECT_EQ(handler.await_children(10'000), 0);
  EXPECT_EQ(handler.await_children(0), 0);
}

}  // namespace
}  // namespace antiphon
