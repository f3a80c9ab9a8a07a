#include "verify/foreign/strace_judge.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace antiphon::verify {
namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "; ") + line;
  return text;
}

/// "holds", "echo: SENTENCE", "incomplete: REMARKS", or "bad input: LINE: WHAT".
std::string judged(const std::string& log, std::optional<std::int64_t> port = std::nullopt) {
  std::istringstream in(log);
  const auto verdict = judge_strace(in, port);
  if (!verdict) return "bad input: " + std::to_string(verdict.error().line) + ": " + verdict.error().what;
  std::vector<std::string> found;
  for (const Violation& one : verdict->violations) found.push_back(std::string(one.clause.name) + ": " + one.sentence);
  if (verdict->ruling == Ruling::violated) return joined(found);
  const std::string remarks = joined(verdict->remarks);
  return std::string(name_of(verdict->ruling)) + (remarks.empty() ? "" : ": " + remarks);
}

std::string together(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += part;
  return text;
}

/// Process 1 accepts client 1 as 7. A call that nobody would choose shows that the log is whole.
const std::string one_client =
    "1 brk(NULL) = 0x1\n"
    R"(1 accept4(3, {sa_family=AF_INET, sin_port=htons(5000), sin_addr=inet_addr("1.2.3.4")}, [16], 0) = 7)"
    "\n";
/// The same, and client 2 as 8.
const std::string two_clients = one_client + "1 accept4(3, NULL, NULL, SOCK_CLOEXEC) = 8\n";
const std::string hello_in = "1 read(7, \"hello\", 100) = 5\n";
const std::string hello_out = "1 write(7, \"hello\", 5) = 5\n";
const std::string hello = hello_in + hello_out;
const std::string end_and_close = "1 read(7, \"\", 100) = 0\n1 close(7) = 0\n";
const std::string exits = "1 exit_group(0) = ?\n1 +++ exited with 0 +++\n";
/// Processes of their own, and threads.
const std::string forks = "1 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f) = 2\n";
const std::string makes_thread = "1 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD, stack=0x1}, 88) = 2\n";

TEST(StraceJudge, AnEchoHolds) {
  EXPECT_EQ(judged(one_client + hello + end_and_close + exits), "holds");
  EXPECT_EQ(judged(one_client + hello + "1 close(7) = 0\n" + exits), "holds") << "the server may end first";
  EXPECT_EQ(judged(one_client + hello_in +
                   "1 send(7, \"he\", 2, 0) = 2\n1 writev(7, [{iov_base=\"llo\", iov_len=3}], 1)"
                   " = 3\n" +
                   end_and_close + exits),
            "holds");
  EXPECT_EQ(judged(one_client + hello_in +
                   "1 write(7, \"hello\", 5) = 3\n1 write(7, \"lo\", 2) = -1 EAGAIN (x)\n"
                   "1 write(7, \"lo\", 2) = 2\n" +
                   end_and_close + exits),
            "holds");
  EXPECT_EQ(judged(one_client + hello), "holds") << "the log may end while nothing is owed";
}

TEST(StraceJudge, WhatIsSentWasReceived) {
  EXPECT_EQ(judged(one_client + hello_in + "1 write(7, \"help\", 4) = 4\n" + end_and_close + exits),
            R"(echo: line 4, pid 1, write(7) to client 1 (1.2.3.4:5000): alters what it received at byte 3: )"
            R"(sends "p" where "lo" is owed)");
  EXPECT_EQ(judged(one_client + hello + hello_out + end_and_close + exits),
            R"(echo: line 5, pid 1, write(7) to client 1 (1.2.3.4:5000): repeats 5 bytes at byte 5: )"
            R"(sends "hello" where nothing is owed)");
  EXPECT_EQ(judged(two_clients + hello_in + "1 write(8, \"hello\", 5) = 5\n1 close(8) = 0\n1 close(7) = 0\n" + exits),
            R"(isolation: line 5, pid 1, write(8) to client 2: sends what client 1 (1.2.3.4:5000) had sent at byte 0: )"
            R"(sends "hello" where nothing is owed; )"
            R"(answered: line 7, pid 1, close(7): lets go of client 1 (1.2.3.4:5000) and owes it 5 bytes: "hello")");
}

TEST(StraceJudge, EveryByteIsAnswered) {
  const std::string owes = R"(lets go of client 1 (1.2.3.4:5000) and owes it 5 bytes: "hello")";
  EXPECT_EQ(judged(one_client + hello_in + end_and_close), "answered: line 5, pid 1, close(7): " + owes);
  EXPECT_EQ(judged(one_client + hello_in + exits), "answered: line 5, pid 1, descriptor 7: " + owes);
  EXPECT_EQ(judged(one_client + hello_in + "1 +++ killed by SIGSEGV +++\n"),
            "answered: line 4, pid 1, descriptor 7: " + owes);
  EXPECT_EQ(judged(one_client + hello_in + "1 dup2(4, 7) = 7\n"), "answered: line 4, pid 1, dup2(4): " + owes);
  EXPECT_EQ(judged(one_client + hello_in + "1 close_range(5, 4294967295, 0) = 0\n"),
            "answered: line 4, pid 1, close_range(5): " + owes);
  EXPECT_EQ(judged(one_client + hello_in + "1 exit_group(0) = ?\n"), "answered: line 4, pid 1, descriptor 7: " + owes)
      << "with -qq the end is not told";
}

TEST(StraceJudge, WhatExcuses) {
  const std::string watches = "1 epoll_ctl(4, EPOLL_CTL_ADD, 7, {events=EPOLLIN, data={u32=1, u64=2}}) = 0\n";
  for (const std::string& reset : std::vector<std::string>{
           "1 write(7, \"hello\", 5) = -1 EPIPE (Broken pipe)\n", "1 read(7, 0x1, 9) = -1 ECONNRESET (x)\n",
           "1 read(7, 0x1, 9) = -1 ETIMEDOUT (x)\n", "1 shutdown(7, SHUT_WR) = -1 ENOTCONN (x)\n",
           "1 getsockopt(7, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0\n",
           "1 poll([{fd=7, events=POLLIN}], 1, -1) = 1 ([{fd=7, revents=POLLIN|POLLERR|POLLHUP}])\n",
           watches + "1 epoll_wait(4, [{events=EPOLLIN|EPOLLERR, data={u32=1, u64=2}}], 9, -1) = 1\n"}) {
    EXPECT_EQ(judged(together({one_client, hello_in, reset, "1 close(7) = 0\n"})), "holds") << reset;
  }
  for (const std::string& none : std::vector<std::string>{
           "1 getsockopt(7, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n", "1 read(7, 0x1, 9) = -1 EAGAIN (x)\n",
           "1 poll([{fd=8, events=POLLIN}], 1, -1) = 1 ([{fd=8, revents=POLLERR}])\n",
           watches + "1 epoll_wait(4, [{events=EPOLLIN, data={u32=1, u64=2}}], 9, -1) = 1\n",
           "1 shutdown(7, SHUT_WR) = 0\n1 write(7, \"hello\", 5) = -1 EPIPE (Broken pipe)\n"}) {
    EXPECT_EQ(judged(together({one_client, hello_in, none, "1 close(7) = 0\n"})).substr(0, 9), "answered:") << none;
  }
}

TEST(StraceJudge, ASignalFromOutsideEndsTheServerRightly) {
  const std::string term = "1 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=99, si_uid=0} ---\n";
  const std::string excused = R"(a signal ends the server while client 1 (1.2.3.4:5000) is owed 5 bytes: "hello")";
  EXPECT_EQ(judged(one_client + hello_in + "1 +++ killed by SIGKILL +++\n"),
            "holds: line 4, pid 1, descriptor 7: " + excused);
  EXPECT_EQ(judged(one_client + hello_in + term + "1 close(7) = 0\n" + exits),
            "holds: line 5, pid 1, close(7): " + excused);
  EXPECT_EQ(judged(one_client + hello_in + forks + "1 close(7) = 0\n" + term +
                   "2 exit_group(0) = ?\n"
                   "2 +++ exited with 0 +++\n"),
            "holds: line 8, pid 2, descriptor 7: " + excused)
      << "it ends what comes from the process too";
  const std::string owes = R"(lets go of client 1 (1.2.3.4:5000) and owes it 5 bytes: "hello")";
  EXPECT_EQ(
      judged(one_client + hello_in + forks + "1 close(7) = 0\n1 kill(2, SIGKILL) = 0\n2 +++ killed by SIGKILL +++\n"),
      "answered: line 7, pid 2, descriptor 7: " + owes);
  EXPECT_EQ(judged(one_client + hello_in + forks +
                   "1 close(7) = 0\n2 --- SIGTERM {si_signo=SIGTERM, si_pid=1} ---\n"
                   "2 +++ killed by SIGTERM +++\n"),
            "answered: line 7, pid 2, descriptor 7: " + owes);
}

TEST(StraceJudge, DescriptorsAreUsedWhileOpen) {
  const std::string was =
      "uses a descriptor that is closed (EBADF): 7 was that of client 1 (1.2.3.4:5000), and was closed in line 6";
  EXPECT_EQ(judged(one_client + hello + end_and_close + "1 close(7) = -1 EBADF (Bad file descriptor)\n"),
            "descriptors: line 7, pid 1, close(7): " + was);
  EXPECT_EQ(judged(one_client + hello + end_and_close + "1 epoll_ctl(4, EPOLL_CTL_DEL, 7, NULL) = -1 EBADF (x)\n"),
            "descriptors: line 7, pid 1, epoll_ctl(4): " + was);
  EXPECT_EQ(judged(one_client + hello + end_and_close + "1 select(8, [3 7], NULL, NULL, NULL) = -1 EBADF (x)\n"),
            "descriptors: line 7, pid 1, select(8): " + was);
  EXPECT_EQ(judged(one_client + hello + end_and_close + "1 close(9) = -1 EBADF (x)\n"), "holds");
  EXPECT_EQ(judged(one_client + hello + end_and_close + forks + "2 close(7) = -1 EBADF (x)\n"), "holds")
      << "who sweeps what it may have inherited misuses nothing";
  EXPECT_EQ(judged(one_client + hello + end_and_close +
                   "1 openat(AT_FDCWD, \"x\", O_RDONLY) = 7\n1 close(7) = 0\n"
                   "1 close(7) = -1 EBADF (x)\n"),
            "holds");
}

TEST(StraceJudge, DescriptorsAreLetGoOf) {
  const std::string one_more =
      "1 accept4(3, NULL, NULL, 0) = 8\n1 read(8, \"x\", 9) = 1\n1 write(8, \"x\", 1) = 1\n"
      "1 read(8, \"\", 9) = 0\n1 close(8) = 0\n";
  const std::string end_read = "1 read(7, \"\", 9) = 0\n";
  EXPECT_EQ(judged(one_client + hello + end_read + one_more + exits),
            "descriptors: line 12, pid 1, descriptor 7: still holds client 1 (1.2.3.4:5000), whose end it had read by "
            "line 5; it has served others since");
  EXPECT_EQ(
      judged(one_client + hello + end_read + one_more),
      "descriptors: at the end of the log, pid 1, descriptor 7: still holds client 1 (1.2.3.4:5000), whose end it "
      "had read by line 5; it has served others since");
  EXPECT_EQ(
      judged(one_client + hello + "1 read(7, 0x1, 9) = -1 ECONNRESET (x)\n" + one_more + exits),
      "descriptors: line 12, pid 1, descriptor 7: still holds client 1 (1.2.3.4:5000), which had failed by line 5; "
      "it has served others since");
  EXPECT_EQ(judged(one_client + hello + one_more + exits), "holds") << "its end was not read";
  EXPECT_EQ(judged(one_client + hello + one_more + end_read + exits), "holds") << "nobody was served since";
  EXPECT_EQ(judged(one_client + hello + end_read + one_more + "1 close(7) = 0\n" + exits), "holds");
  // The parent keeps what its child serves.
  const std::string child =
      "2 read(7, \"hello\", 9) = 5\n2 write(7, \"hello\", 5) = 5\n2 read(7, \"\", 9) = 0\n"
      "2 +++ exited with 0 +++\n";
  EXPECT_EQ(judged(one_client + forks + child + one_more + exits).substr(0, 53),
            "descriptors: line 14, pid 1, descriptor 7: still hold");
  // A child that merely inherits the connection of another is no leak.
  EXPECT_EQ(
      judged(two_clients + hello + forks + "1 close(8) = 0\n" + end_and_close +
             "2 read(8, \"x\", 9) = 1\n2 write(8, \"x\", 1) = 1\n2 read(8, \"\", 9) = 0\n2 +++ exited with 0 +++\n"),
      "holds");
}

TEST(StraceJudge, ProcessesShareAndInherit) {
  const std::string child_serves = "2 read(7, \"hello\", 9) = 5\n1 close(7) = 0\n2 write(7, \"hello\", 5) = 5\n";
  EXPECT_EQ(judged(one_client + forks + child_serves), "holds");
  EXPECT_EQ(judged(one_client + hello_in + makes_thread +
                   "2 write(7, \"hello\", 5) = 5\n2 close(7) = 0\n"
                   "1 openat(AT_FDCWD, \"x\", O_RDONLY) = 7\n"),
            "holds");
  EXPECT_EQ(judged(one_client + hello_in + makes_thread + "2 close(7) = 0\n").substr(0, 9), "answered:");
  EXPECT_EQ(judged(one_client + hello_in + "1 dup(7) = 9\n1 close(7) = 0\n1 write(9, \"hello\", 5) = 5\n"), "holds");
  EXPECT_EQ(judged(one_client + hello_in +
                   "1 fcntl(7, F_DUPFD_CLOEXEC, 10) = 10\n1 close(7) = 0\n"
                   "1 write(10, \"hello\", 5) = 5\n"),
            "holds");
  EXPECT_EQ(judged(one_client + hello_in +
                   "1 dup2(7, 0) = 0\n1 dup3(7, 1, O_CLOEXEC) = 1\n1 close(7) = 0\n"
                   "1 execve(\"/bin/cat\", [\"cat\"], 0x1) = 0\n1 write(0, \"hello\", 5) = 5\n"),
            "holds");
  EXPECT_EQ(judged(one_client + hello_in + "1 unshare(CLONE_FILES) = 0\n" + hello_out + "1 close(7) = 0\n"), "holds");
}

TEST(StraceJudge, ExecClosesWhatIsMarked) {
  const std::string exec = "1 execve(\"/bin/cat\", [\"cat\"], 0x1) = 0\n";
  for (const std::string& mark :
       std::vector<std::string>{"1 fcntl(7, F_SETFD, FD_CLOEXEC) = 0\n", "1 ioctl(7, FIOCLEX) = 0\n",
                                "1 close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) = 0\n"}) {
    EXPECT_EQ(judged(together({one_client, hello_in, mark, exec})),
              R"(answered: line 5, pid 1, execve(): lets go of client 1 (1.2.3.4:5000) and owes it 5 bytes: "hello")")
        << mark;
  }
  EXPECT_EQ(judged(one_client + hello_in + "1 fcntl(7, F_SETFD, FD_CLOEXEC) = 0\n1 fcntl(7, F_SETFD, 0) = 0\n" + exec +
                   hello_out),
            "holds");
  EXPECT_EQ(judged(one_client + hello_in +
                   "1 fcntl(7, F_SETFD, FD_CLOEXEC) = 0\n"
                   "1 execve(\"/none\", [\"cat\"], 0x1) = -1 ENOENT (x)\n" +
                   hello_out),
            "holds");
}

TEST(StraceJudge, AChildMayBeHeardOfBeforeItsParentReturns) {
  const std::string begins = "1 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD <unfinished ...>\n";
  const std::string returns = "1 <... clone resumed>, child_tidptr=0x7f) = 2\n";
  EXPECT_EQ(judged(one_client + begins + "2 read(7, \"hello\", 9) = 5\n2 write(7, \"hello\", 5) = 5\n" + returns +
                   "1 close(7) = 0\n2 read(7, \"\", 9) = 0\n2 +++ exited with 0 +++\n" + exits),
            "holds");
  // Two at once: whose child is heard of shows only when one returns.
  EXPECT_EQ(judged(one_client + "1 fork() = 5\n5 accept4(3, NULL, NULL, 0) = 8\n" + begins +
                   "5 fork( <unfinished ...>\n"
                   "2 read(7, \"hello\", 9) = 5\n6 read(8, \"x\", 9) = 1\n6 write(8, \"x\", 1) = 1\n"
                   "2 write(7, \"hello\", 5) = 5\n5 <... fork resumed>) = 6\n" +
                   returns + "2 +++ exited with 0 +++\n6 +++ exited with 0 +++\n5 +++ exited with 0 +++\n" + exits),
            "holds");
  EXPECT_EQ(judged(one_client + hello + "5 fork( <unfinished ...>\n" + begins + "6 close(3) = 0\n"),
            "incomplete: pid 6 is in the log, and the call that made it is not");
}

TEST(StraceJudge, AThreadThatExecutesKeepsWhatItHolds) {
  EXPECT_EQ(judged(one_client + hello_in + makes_thread +
                   "1 pause( <unfinished ...>\n"
                   "2 execve(\"/bin/cat\", [\"cat\"], 0x1 <unfinished ...>\n1 +++ superseded by execve in pid 2 +++\n"
                   "1 <... execve resumed>) = 0\n" +
                   hello_out + exits),
            "holds");
}

TEST(StraceJudge, ADescriptorMayBeGivenAnewWhileItsCloseReturns) {
  EXPECT_EQ(judged(one_client + hello + makes_thread +
                   "1 close(7 <unfinished ...>\n2 accept4(3, NULL, NULL, 0) = 7\n"
                   "1 <... close resumed>) = 0\n2 read(7, \"x\", 9) = 1\n2 write(7, \"x\", 1) = 1\n2 close(7) = 0\n"),
            "holds");
  // A call that has begun keeps the connection until it returns.
  EXPECT_EQ(judged(one_client + hello_in + makes_thread +
                   "2 write(7, \"hello\", 5 <unfinished ...>\n1 close(7) = 0\n"
                   "2 <... write resumed>) = 5\n"),
            "holds");
}

TEST(StraceJudge, BytesAreFollowedEndToEnd) {
  const std::string pair = "1 socketpair(AF_UNIX, SOCK_STREAM, 0, [10, 11]) = 0\n" + forks;
  EXPECT_EQ(judged(one_client + pair + hello_in +
                   "1 write(10, \"hello\", 5) = 5\n2 read(11, \"hello\", 9) = 5\n"
                   "2 write(11, \"hello\", 5) = 5\n1 read(10, \"hello\", 9) = 5\n" +
                   hello_out + exits + "2 +++ exited with 0 +++\n"),
            "holds");
  EXPECT_EQ(
      judged(one_client + pair + hello_in + "1 write(10, \"hello\", 5) = 5\n2 read(11, \"hello\", 9) = 5\n" + exits +
             "2 +++ exited with 0 +++\n"),
      R"(answered: line 10, pid 2, descriptor 7: lets go of client 1 (1.2.3.4:5000) and owes it 5 bytes: "hello")");
}

TEST(StraceJudge, PassedDescriptorsAreFollowed) {
  const auto message = [](const std::string& call, int descriptor) {
    return call +
           ", {msg_name=NULL, msg_iov=[{iov_base=\"x\", iov_len=1}], msg_iovlen=1, msg_control=[{cmsg_len=20, "
           "cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[" +
           std::to_string(descriptor) + "]}], msg_controllen=24, msg_flags=0}, 0) = 1\n";
  };
  const std::string with_credentials =
      "2 recvmsg(11, {msg_iov=[{iov_base=\"x\", iov_len=1}], msg_control=[{cmsg_len=28, cmsg_type=SCM_CREDENTIALS, "
      "cmsg_data={pid=1, uid=0, gid=0}}, {cmsg_len=20, cmsg_type=SCM_RIGHTS, cmsg_data=[9]}]}, 0) = 1\n";
  const std::string passed = one_client + "1 socketpair(AF_UNIX, SOCK_STREAM, 0, [10, 11]) = 0\n" + forks +
                             message("1 sendmsg(10", 7) + "1 close(7) = 0\n";
  EXPECT_EQ(judged(passed + "2 close(7) = 0\n" + message("2 recvmsg(11", 9) +
                   "2 read(9, \"x\", 9) = 1\n"
                   "2 write(9, \"x\", 1) = 1\n2 close(9) = 0\n"),
            "holds");
  EXPECT_EQ(judged(passed + "2 close(7) = 0\n" + with_credentials +
                   "2 read(9, \"x\", 9) = 1\n2 write(9, \"x\", 1) = 1\n2 close(9) = 0\n"),
            "holds");
  EXPECT_EQ(
      judged(passed + "2 close(7) = 0\n" + message("2 recvmsg(11", 9) + "2 read(9, \"x\", 9) = 1\n2 close(9) = 0\n"),
      R"(answered: line 10, pid 2, close(9): lets go of client 1 (1.2.3.4:5000) and owes it 1 byte: "x")");
}

TEST(StraceJudge, BytesThatNobodySeesAreFollowed) {
  const std::string in = "1 pipe2([4, 5], 0) = 0\n1 splice(7, NULL, 5, NULL, 65536, 0) = 6\n";
  const auto out = [](int count) { return "1 splice(4, NULL, 7, NULL, 65536, 0) = " + std::to_string(count) + "\n"; };
  EXPECT_EQ(judged(one_client + in + out(4) + out(2) + "1 splice(7, NULL, 5, NULL, 65536, 0) = 0\n1 close(7) = 0\n"),
            "holds");
  EXPECT_EQ(judged(one_client + in + out(4) + "1 close(7) = 0\n"),
            "answered: line 6, pid 1, close(7): lets go of client 1 (1.2.3.4:5000) and owes it 2 bytes");
  EXPECT_EQ(judged(one_client + in + "1 read(4, \"ab\", 2) = 2\n" + out(4) + "1 close(7) = 0\n"),
            "echo: line 6, pid 1, splice(4) to client 1 (1.2.3.4:5000): sends bytes 2 to 5 of what it received where "
            "byte 0 is due; answered: line 7, pid 1, close(7): lets go of client 1 (1.2.3.4:5000) and owes it 6 bytes: "
            "\"ab\"");
  EXPECT_EQ(judged(two_clients + in + "1 splice(4, NULL, 8, NULL, 65536, 0) = 6\n").substr(0, 90),
            "isolation: line 6, pid 1, splice(4) to client 2: sends bytes 0 to 5 of client 1 (1.2.3.4:5");
  EXPECT_EQ(judged(one_client + in + "1 read(4, \"abcdef\", 9) = 6\n1 write(7, \"abcdef\", 6) = 6\n1 close(7) = 0\n"),
            "holds")
      << "they show when they are read";
  EXPECT_EQ(judged(one_client + in + "1 read(4, \"abcdef\", 9) = 6\n1 write(7, \"abcdXf\", 6) = 6\n1 close(7) = 0\n")
                .substr(0, 5),
            "echo:");
  EXPECT_EQ(judged(one_client + hello_in + "1 pipe([4, 5]) = 0\n1 write(5, \"hello\", 5) = 5\n" + out(5) +
                   "1 close(7) = 0\n"),
            "holds")
      << "they showed before";
  EXPECT_EQ(judged(one_client + hello_in + "1 pipe([4, 5]) = 0\n1 write(5, \"jello\", 5) = 5\n" + out(5)).substr(0, 5),
            "echo:");
  EXPECT_EQ(judged(one_client + in + "1 pipe([14, 15]) = 0\n1 tee(4, 15, 9, 0) = 6\n" + out(6) +
                   "1 splice(14, NULL, 9, NULL, 9, 0) = 6\n1 close(7) = 0\n"),
            "holds");
  EXPECT_EQ(judged(one_client + hello_in +
                   "1 openat(AT_FDCWD, \"x\", O_RDONLY) = 9\n1 sendfile(7, 9, NULL, 5) = 5\n"
                   "1 close(7) = 0\n"),
            "incomplete: line 5, pid 1, sendfile(7): what client 1 (1.2.3.4:5000) is sent is not in the log");
  EXPECT_EQ(
      judged(one_client + in + "1 write(7, \"abcdef\", 6) = 6\n1 close(7) = 0\n"),
      "incomplete: line 5, pid 1, write(7): what client 1 (1.2.3.4:5000) is owed was moved by splice, and the log "
      "does not show it");
}

TEST(StraceJudge, ASpliceKeepsItsDescriptorsUntilItReturns) {
  const std::string begun = one_client + makes_thread +
                            "1 pipe2([4, 5], 0) = 0\n1 splice(7, NULL, 5, NULL, 65536, 0) = 6\n"
                            "2 splice(4, NULL, 7, NULL, 6, 0 <unfinished ...>\n";
  EXPECT_EQ(judged(begun + "1 close(7) = 0\n1 close(4) = 0\n2 <... splice resumed>) = 6\n"), "holds");
  EXPECT_EQ(judged(begun + "1 close(7) = 0\n2 <... splice resumed>) = 4\n"),
            "answered: line 8, pid 2, splice(4): lets go of client 1 (1.2.3.4:5000) and owes it 2 bytes");
  EXPECT_EQ(judged(begun + "1 close(7) = 0\n2 +++ exited with 1 +++\n"),
            "incomplete: line 8, pid 2: a call that sends to client 1 (1.2.3.4:5000) never returned, and it is owed 6 "
            "bytes");
}

TEST(StraceJudge, APipeMayBeReadBeforeItsWriteReturns) {
  EXPECT_EQ(judged(one_client + hello_in + "1 pipe([4, 5]) = 0\n" + makes_thread +
                   "1 write(5, \"hello!\", 6 <unfinished ...>\n"
                   "2 splice(4, NULL, 7, NULL, 9, 0) = 5\n1 <... write resumed>) = 5\n1 close(7) = 0\n"),
            "holds");
}

TEST(StraceJudge, FlagsOfReceiving) {
  EXPECT_EQ(
      judged(one_client + "1 recvfrom(7, \"hello\", 100, MSG_PEEK, NULL, NULL) = 5\n" + hello + "1 close(7) = 0\n"),
      "holds");
  EXPECT_EQ(judged(one_client + "1 recvfrom(7, 0x1, 5, MSG_TRUNC, NULL, NULL) = 5\n1 close(7) = 0\n"),
            "answered: line 4, pid 1, close(7): lets go of client 1 (1.2.3.4:5000) and owes it 5 bytes");
  EXPECT_EQ(judged(one_client + hello + "1 recvfrom(7, \"!\", 1, MSG_OOB, NULL, NULL) = 1\n"),
            "incomplete: line 5, pid 1, recvfrom(7): urgent data of client 1 (1.2.3.4:5000) is not followed");
}

TEST(StraceJudge, WhatIsNotThereIsSaid) {
  EXPECT_EQ(judged("1 brk(NULL) = 0x1\n"), "incomplete: no client was accepted, so there is nothing to judge");
  EXPECT_EQ(judged(one_client), "incomplete: no byte was received from any client, so there is nothing to judge");
  EXPECT_EQ(judged(one_client + hello_in),
            "incomplete: at the end of the log, pid 1, descriptor 7: client 1 (1.2.3.4:5000) is still owed 5 bytes");
  EXPECT_EQ(judged(one_client + hello + "1 getpid("), "incomplete: the log is cut off in its last line");
  EXPECT_EQ(judged(one_client + hello + "1 accept4(3, NULL, NULL, 0) = 7\n"),
            "incomplete: line 5, pid 1, accept4(3): gives descriptor 7 anew, and the log does not show how client 1 "
            "(1.2.3.4:5000) lost it");
  EXPECT_EQ(judged(one_client + hello + "1 close(7) = -1 EBADF (x)\n"),
            "incomplete: line 5, pid 1, close(7): answers EBADF, and the log does not show how client 1 (1.2.3.4:5000) "
            "lost its descriptor");
  EXPECT_EQ(judged(one_client + hello + "1 read(7, 0x1, 9) = -1 EBADF (x)\n"),
            "incomplete: line 5, pid 1, read(7): answers EBADF, and the log does not show how client 1 (1.2.3.4:5000) "
            "lost its descriptor");
  EXPECT_EQ(
      judged(one_client + hello_in + makes_thread +
             "2 write(7, \"hello\", 5 <unfinished ...>\n"
             "2 +++ exited with 1 +++\n1 +++ exited with 1 +++\n"),
      "incomplete: line 7, pid 1, descriptor 7: a call that sends to client 1 (1.2.3.4:5000) never returned, and it "
      "is owed 5 bytes: \"hello\"");
  EXPECT_EQ(judged(one_client + makes_thread +
                   "1 read(7,  <unfinished ...>\n2 read(7, \"a\", 9) = 1\n"
                   "1 <... read resumed>\"b\", 9) = 1\n1 write(7, \"ba\", 2) = 2\n1 close(7) = 0\n")
                .substr(0, 5),
            "echo:");
  EXPECT_EQ(judged(one_client + makes_thread +
                   "1 read(7,  <unfinished ...>\n2 read(7, \"a\", 9) = 1\n"
                   "1 <... read resumed>\"b\", 9) = 1\n1 write(7, \"ab\", 2) = 2\n1 close(7) = 0\n"),
            "incomplete: line 6, pid 1, read(7): two threads receive from client 1 (1.2.3.4:5000) at once, and the log "
            "does not say whose bytes came first");
}

TEST(StraceJudge, ADescriptorFromNowhereMayBeAClients) {
  const std::string may_be = ": where the descriptor comes from is not in the log, and it may be a client's";
  const std::string ask = " (with -yy the log says what it is)";
  EXPECT_EQ(judged(one_client + hello + "1 read(9, \"x\", 9) = 1\n"),
            "incomplete: line 5, pid 1, read(9)" + may_be + ask);
  EXPECT_EQ(judged(one_client + hello + "1 read(9<TCP:[1.2.3.4:5->6.7.8.9:10]>, \"x\", 9) = 1\n"),
            "incomplete: line 5, pid 1, read(9)" + may_be);
  for (const std::string& other :
       std::vector<std::string>{"9<pipe:[12]>", "9</tmp/log>", "9<anon_inode:[eventfd]>", "9<UDP:[1.2.3.4:5]>"}) {
    EXPECT_EQ(judged(together({one_client, hello, "1 read(", other, ", \"x\", 9) = 1\n"})), "holds") << other;
  }
  EXPECT_EQ(judged(one_client + hello + "1 read(9, \"\", 9) = 0\n1 read(9, 0x1, 9) = -1 EAGAIN (x)\n"), "holds");
  // What a program writes to its standard streams is for its operator.
  const std::string start = "1 execve(\"/bin/x\", [\"x\"], 0x1) = 0\n" + one_client + hello;
  EXPECT_EQ(judged(start + "1 write(2, \"served\", 6) = 6\n"), "holds");
  EXPECT_EQ(judged(start + "1 read(0, \"x\", 1) = 1\n"), "incomplete: line 6, pid 1, read(0)" + may_be + ask);
  EXPECT_EQ(judged(start + "1 sendto(1, \"x\", 1, 0, NULL, 0) = 1\n"),
            "incomplete: line 6, pid 1, sendto(1)" + may_be + ask);
}

TEST(StraceJudge, ChosenCallsAreNoBasis) {
  const std::string chosen = "1 accept(3, NULL, NULL) = 7\n" + hello;
  const std::string why =
      "the log shows chosen calls only, and others may have moved bytes: record it without -e trace=, or with -e "
      "trace=%desc,%network,%process";
  EXPECT_EQ(judged(chosen + "1 close(7) = 0\n"), "incomplete: " + why);
  EXPECT_EQ(judged(chosen + hello_out + "1 close(7) = 0\n"),
            "incomplete: " + why +
                "; as far as it shows, echo is broken: line 4, pid 1, write(7) to client 1: repeats 5 "
                "bytes at byte 5: sends \"hello\" where nothing is owed");
  // Of a server that ran already.
  EXPECT_EQ(judged("1 epoll_wait(4, [], 9, -1) = 0\n1 setsockopt(7, SOL_TCP, TCP_NODELAY, [1], 4) = 0\n" + chosen),
            "holds");
}

TEST(StraceJudge, WhoIsNotFollowedMayHaveDoneAnything) {
  EXPECT_EQ(
      judged(one_client + hello_in + makes_thread + "1 close(7) = 0\n"),
      "incomplete: the log has nothing of pid 2, which it shows being made: record it with -f, into one file; as far "
      "as it shows, answered is broken: line 5, pid 1, close(7): lets go of client 1 (1.2.3.4:5000) and owes it 5 "
      "bytes: \"hello\"");
}

TEST(StraceJudge, RingsAreNotInTheLog) {
  const std::string ring = "1 io_uring_setup(8, {flags=0, sq_thread_cpu=0}) = 9\n";
  EXPECT_EQ(judged(one_client + ring + hello), "holds") << "nothing goes through it";
  EXPECT_EQ(judged(one_client + ring + hello + "1 io_uring_enter(9, 1, 1, 0, NULL, 8) = 1\n"),
            "incomplete: line 6, pid 1, io_uring_enter: what a ring sends and receives is not in the log");
  EXPECT_EQ(judged(one_client + hello + "1 io_uring_setup(8, {flags=IORING_SETUP_SQPOLL}) = 9\n"),
            "incomplete: line 5, pid 1, io_uring_setup: what a ring sends and receives is not in the log");
  EXPECT_EQ(judged(one_client + ring + hello_in + "1 io_uring_enter(9, 1, 1, 0, NULL, 8) = 1\n1 close(7) = 0\n")
                .substr(0, 11),
            "incomplete:")
      << "what it owes may have gone that way";
}

TEST(StraceJudge, OnePortIsJudged) {
  const std::string two_listeners =
      "1 brk(NULL) = 0x1\n"
      "1 bind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"1.1.1.1\")}, 16) = 0\n"
      "1 socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP) = 3\n1 socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP) = 4\n"
      "1 bind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"1.1.1.1\")}, 16) = 0\n"
      "1 bind(4, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr(\"1.1.1.1\")}, 16) = 0\n"
      "1 getsockname(4, {sa_family=AF_INET, sin_port=htons(81), sin_addr=inet_addr(\"1.1.1.1\")}, [16]) = 0\n"
      "1 accept(3, NULL, NULL) = 7\n1 accept(4, NULL, NULL) = 8\n1 write(8, \"welcome\", 7) = 7\n" +
      hello;
  EXPECT_EQ(judged(two_listeners, 80), "holds");
  EXPECT_EQ(judged(two_listeners, 81).substr(0, 5), "echo:");
  EXPECT_EQ(judged(two_listeners).substr(0, 5), "echo:");
  EXPECT_EQ(
      judged("1 brk(NULL) = 0x1\n1 socket(AF_UNIX, SOCK_STREAM, 0) = 3\n1 accept(3, NULL, NULL) = 7\n" + hello, 80),
      "incomplete: no client was accepted, so there is nothing to judge");
  EXPECT_EQ(judged("1 brk(NULL) = 0x1\n1 accept(3, NULL, NULL) = 7\n" + hello, 80), "holds")
      << "where a listener comes from may be unknown";
  EXPECT_EQ(judged("1 brk(NULL) = 0x1\n1 accept(3, NULL, NULL) = 7<TCP:[1.1.1.1:80->2.2.2.2:9]>\n" + hello_in +
                       "1 close(7) = 0\n",
                   80),
            R"(answered: line 4, pid 1, close(7): lets go of client 1 (2.2.2.2:9) and owes it 5 bytes: "hello")");
}

TEST(StraceJudge, StringsThatAreCutAreRefused) {
  const std::string why = "the bytes of a client are cut short here: record with a longer -s";
  EXPECT_EQ(judged(one_client + "1 read(7, \"he\"..., 100) = 5\n"), "bad input: 3: " + why);
  EXPECT_EQ(judged(one_client + hello_in + "1 write(7, \"he\"..., 5) = 5\n"), "bad input: 4: " + why);
  EXPECT_EQ(judged(one_client + hello_in + "1 write(7, \"he\"..., 5) = 2\n1 write(7, \"llo\", 3) = 3\n"), "holds");
  EXPECT_EQ(judged(one_client + hello + "1 openat(AT_FDCWD, \"x\", O_RDONLY) = 9\n1 read(9, \"he\"..., 100) = 50\n"),
            "holds");
}

TEST(StraceJudge, WhoMakesItselfIsRefused) {
  EXPECT_EQ(judged(one_client + "1 clone(child_stack=NULL, flags=SIGCHLD) = 1\n" + hello),
            "bad input: 3: a process makes itself: this log is not of one run");
}

TEST(StraceJudge, AnAcceptThatGivesNoDescriptorIsNoClient) {
  EXPECT_EQ(judged(one_client + "1 accept4(3, NULL, NULL, 0) = -1\n1 accept4(3, NULL, NULL, 0) = 4294967296\n" +
                   hello_in + "1 write(7, \"world\", 5) = 5\n"),
            R"(echo: line 6, pid 1, write(7) to client 1 (1.2.3.4:5000): alters what it received at byte 0: sends )"
            R"("world" where "hello" is owed)");
}

TEST(StraceJudge, ConnectionsComeAndGo) {
  std::string log = one_client + hello + end_and_close;
  const std::string round = "1 accept4(3, NULL, NULL, 0) = 7\n" + hello + end_and_close;
  for (int count = 0; count < 1000; ++count) log += round;
  std::istringstream in(log);
  const auto verdict = judge_strace(in, std::nullopt);
  EXPECT_EQ(verdict->tally.connections, 1001U);
  EXPECT_EQ(verdict->tally.at_once, 1U);
  EXPECT_EQ(verdict->tally.bytes_sent, 5005U);
  EXPECT_EQ(verdict->ruling, Ruling::holds);
}

}  // namespace
}  // namespace antiphon::verify
