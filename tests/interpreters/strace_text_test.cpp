#include "interpreters/strace_text.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace antiphon::strace {
namespace {

struct Telling {
  std::string operator()(const Call& call) const {
    std::string text = call.name + "(" + call.arguments + ")";
    if (!call.begins) text = "... " + text + " of line " + std::to_string(call.begun);
    if (!call.result) return text + " begins";
    const Result& result = *call.result;
    text += " = " + (result.value ? std::to_string(*result.value) : "?");
    if (!result.error.empty()) text += " " + result.error;
    return result.detail.empty() ? text : text + " [" + result.detail + "]";
  }
  std::string operator()(const Signal& signal) const {
    return "signal " + signal.name + (signal.sender ? " from " + std::to_string(*signal.sender) : "");
  }
  std::string operator()(const Gone& gone) const {
    return gone.killed_by.empty() ? "exits" : "dies by " + gone.killed_by;
  }
  std::string operator()(const Superseded& superseded) const { return "becomes " + std::to_string(superseded.by); }
  std::string operator()(const Attached& attached) const {
    return "has " + std::to_string(attached.threads) + " threads";
  }
};

/// Each event on a line: "4242: read(3) = 0".
std::string events_of(const std::string& log) {
  std::istringstream in(log);
  Reader reader(in);
  std::string text;
  for (;;) {
    const auto event = reader.next();
    if (!event) return text + "bad: " + std::to_string(event.error().line) + ": " + event.error().what + "\n";
    if (!*event) return text + (reader.cut() ? "cut\n" : "");
    text += std::to_string((*event)->pid) + ": " + std::visit(Telling{}, (*event)->what) + "\n";
  }
}

TEST(StraceText, EachLineIsACall) {
  EXPECT_EQ(events_of("1 getpid() = 1\n"), "1: getpid() = 1\n");
  EXPECT_EQ(events_of("1 close(3)                                = 0\n"), "1: close(3) = 0\n");
  EXPECT_EQ(events_of("1 brk(NULL) = 0x55aa\n"), "1: brk(NULL) = 21930\n");
  EXPECT_EQ(events_of("1 exit_group(0)                     = ?\n"), "1: exit_group(0) = ?\n");
  EXPECT_EQ(events_of(R"(1 read(3, "a) = 7", 100) = 6)"
                      "\n"),
            "1: read(3, \"a) = 7\", 100) = 6\n");
  EXPECT_EQ(events_of("1 read(3, 0x7f, 10) = -1 EAGAIN (Resource temporarily unavailable)\n"),
            "1: read(3, 0x7f, 10) = -1 EAGAIN [(Resource temporarily unavailable)]\n");
  EXPECT_EQ(events_of("1 read(0, 0x7f, 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)\n"),
            "1: read(0, 0x7f, 1) = ? [ ERESTARTSYS (To be restarted if SA_RESTART is set)]\n");
  EXPECT_EQ(events_of("1 poll([{fd=7, events=POLLIN}], 1, -1) = 1 ([{fd=7, revents=POLLIN}])\n"),
            "1: poll([{fd=7, events=POLLIN}], 1, -1) = 1 [([{fd=7, revents=POLLIN}])]\n");
  EXPECT_EQ(events_of("1 sendto(7, \"a\", 1, 0, NULL, 0) = -1 EPIPE (Broken pipe) (INJECTED)\n"),
            "1: sendto(7, \"a\", 1, 0, NULL, 0) = -1 EPIPE [(Broken pipe) (INJECTED)]\n");
  EXPECT_EQ(events_of("1 wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], WNOHANG, NULL) = 5\n"),
            "1: wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], WNOHANG, NULL) = 5\n");
  EXPECT_EQ(events_of("1 restart_syscall(<... resuming interrupted read ...>) = 1\n"),
            "1: restart_syscall(<... resuming interrupted read ...>) = 1\n");
}

TEST(StraceText, OptionsOfStraceChangeNothing) {
  for (const std::string before :
       {"1 ", "1     ", "[pid     1] ", "1 12:00:00 ", "1 12:00:00.123456 ", "1 1700000000.123456 ", "1      0.000012 ",
        "[pid 1] 12:00:00 (+     0.000012) ", "1 [  3] ", "1 [00007f1234567890] ", "1 12:00:00 [  3] [00007f12] ",
        "1<cat> ", "[pid 1<cat>] "}) {
    EXPECT_EQ(events_of(before + "close(3) = 0 <0.000012>\n"), "1: close(3) = 0\n") << before;
  }
  EXPECT_EQ(events_of("12:00:00 close(3) = 0\n"), "0: close(3) = 0\n");
  EXPECT_EQ(events_of("1700000000.123456 close(3) = 0\n"), "0: close(3) = 0\n");
  EXPECT_EQ(events_of("     0.000012 close(3) = 0\n"), "0: close(3) = 0\n");
  EXPECT_EQ(events_of("1 accept4(3<TCP:[1.2.3.4:80]>, NULL, NULL, 0) = 7<TCP:[1.2.3.4:80->5.6.7.8:90]> <0.1>\n"),
            "1: accept4(3<TCP:[1.2.3.4:80]>, NULL, NULL, 0) = 7 [<TCP:[1.2.3.4:80->5.6.7.8:90]>]\n");
  EXPECT_EQ(events_of("1 close(3) = 0\n > /lib/libc.so.6(close+0x1) [0x2]\n | 00000  68 |\n1 close(4) = 0\n"),
            "1: close(3) = 0\n1: close(4) = 0\n");
}

TEST(StraceText, CallsGoOnInOtherLines) {
  EXPECT_EQ(events_of("1 read(4,  <unfinished ...>\n"
                      "2 close(3 <unfinished ...>\n"
                      "1 <... read resumed>\"abc\", 100) = 3 <0.1>\n"
                      "2 <... close resumed>)              = 0\n"),
            "1: read(4,) begins\n2: close(3) begins\n"
            "1: ... read(4,\"abc\", 100) of line 1 = 3\n2: ... close(3) of line 2 = 0\n");
  EXPECT_EQ(
      events_of("1 read(4,  <unfinished ...>\n1 <... read resumed> <unfinished ...>) = ?\n1 +++ exited with 0 +++\n"),
      "1: read(4,) begins\n1: ... read(4,) of line 1 = ?\n1: exits\n");
  EXPECT_EQ(events_of("1 read(4,  <detached ...>\n"), "1: read(4,) begins\n");
  EXPECT_EQ(events_of("1 read(4,  <unfinished ...>\n1 close(3) = 0\n"),
            "1: read(4,) begins\nbad: 2: a call begins before the last one returned\n");
  EXPECT_EQ(events_of("1 close(3) = 0\n1 <... read resumed>\"abc\", 100) = 3\n"),
            "1: close(3) = 0\nbad: 2: a call goes on that was not begun: <... read\n");
}

TEST(StraceText, NoticesOfStraceMayCutALine) {
  EXPECT_EQ(events_of("strace: Process 7 attached with 3 threads\n[pid 7] close(3) = 0\n"),
            "7: has 3 threads\n7: close(3) = 0\n");
  EXPECT_EQ(
      events_of("clone3({flags=CLONE_VM}strace: Process 8 attached\n => {parent_tid=[8]}, 88) = 8\n"
                "[pid 8] close(4) = 0\n[pid 7] close(3) = 0\n"),
      "0: clone3({flags=CLONE_VM}) begins\n0: ... clone3({flags=CLONE_VM} => {parent_tid=[8]}, 88) of line 1 = 8\n"
      "8: close(4) = 0\n0: close(3) = 0\n");
  EXPECT_EQ(events_of("clone(strace: Process 8 attached\n <unfinished ...>\n[pid 8] close(4) = 0\n"
                      "[pid 7] <... clone resumed>flags=0) = 8\n"),
            "0: clone() begins\n8: close(4) = 0\n0: ... clone(flags=0) of line 1 = 8\n");
  EXPECT_EQ(events_of("1 read(3, \"strace: Process 8 attached\", 100) = 26\n"),
            "1: read(3, \"strace: Process 8 attached\", 100) = 26\n")
      << "a client may say so";
  EXPECT_EQ(events_of("[ Process PID=7 runs in 32 bit mode. ]\n"), "");
}

TEST(StraceText, TheFirstProcessHasNoNumberWhileItIsAlone) {
  EXPECT_EQ(events_of("close(3) = 0\nclone(flags=SIGCHLD) = 8\n[pid 7] close(4) = 0\n[pid 8] close(5) = 0\n"
                      "[pid 8] +++ exited with 0 +++\nclose(6) = 0\n+++ killed by SIGKILL (core dumped) +++\n"),
            "0: close(3) = 0\n0: clone(flags=SIGCHLD) = 8\n0: close(4) = 0\n8: close(5) = 0\n8: exits\n"
            "0: close(6) = 0\n0: dies by SIGKILL\n");
  // The child is heard of first.
  EXPECT_EQ(events_of("clone(flags=SIGCHLD) = 8\n[pid 8] close(5) = 0\n[pid 7] close(4) = 0\n"),
            "0: clone(flags=SIGCHLD) = 8\n8: close(5) = 0\n0: close(4) = 0\n");
  EXPECT_EQ(events_of("vfork( <unfinished ...>\n[pid 8] close(5) = 0\n[pid 7] <... vfork resumed>) = 8\n"),
            "0: vfork() begins\n8: close(5) = 0\n0: ... vfork() of line 1 = 8\n");
  EXPECT_EQ(events_of("[pid 7] close(3) = 0\n[pid 8] close(3) = 0\nclose(3) = 0\n"),
            "7: close(3) = 0\n8: close(3) = 0\nbad: 3: the line does not say of which process it is\n");
  // With -qq ends are not told.
  EXPECT_EQ(events_of("[pid 7] close(3) = 0\n[pid 8] exit_group(0) = ?\nclose(3) = 0\n"),
            "7: close(3) = 0\n8: exit_group(0) = ?\n7: close(3) = 0\n");
}

TEST(StraceText, SignalsAndEnds) {
  EXPECT_EQ(events_of("1 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=9, si_uid=0} ---\n"
                      "1 --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---\n"
                      "1 --- stopped by SIGSTOP ---\n"
                      "1 +++ killed by SIGSEGV +++\n"),
            "1: signal SIGTERM from 9\n1: signal SIGSEGV\n1: dies by SIGSEGV\n");
  EXPECT_EQ(events_of("1 +++ vanished +++\n"), "bad: 1: not an end of a process: vanished +++\n");
}

TEST(StraceText, AThreadThatExecutesTakesItsProcesssNumber) {
  EXPECT_EQ(events_of("1 pause( <unfinished ...>\n2 execve(\"/bin/x\", [\"x\"], 0x1 <unfinished ...>\n"
                      "1 +++ superseded by execve in pid 2 +++\n1 <... execve resumed>) = 0\n1 close(3) = 0\n"),
            "1: pause() begins\n2: execve(\"/bin/x\", [\"x\"], 0x1) begins\n1: becomes 2\n"
            "1: ... execve(\"/bin/x\", [\"x\"], 0x1) of line 2 = 0\n1: close(3) = 0\n");
}

TEST(StraceText, WhatIsNoLogIsRefused) {
  EXPECT_EQ(events_of("1 close(3) = 0\nhello, world\n"),
            "1: close(3) = 0\nbad: 2: not a line of strace: hello, world\n");
  EXPECT_EQ(events_of("\n"), "bad: 1: not a line of strace: \n");
  EXPECT_EQ(events_of("1 close(3)\n"), "bad: 1: a call of close without its end\n");
  EXPECT_EQ(events_of("1 close(3) = zero\n"), "bad: 1: a call of close with the result zero\n");
  EXPECT_EQ(events_of("1 close(3\n"), "bad: 1: a call of close without its end\n");
  EXPECT_EQ(events_of(std::string("1 close(3) = 0\n\0\n", 17)), "1: close(3) = 0\nbad: 2: not a line of strace: ?\n");
}

TEST(StraceText, ALastLineWithoutItsEndIsCut) {
  EXPECT_EQ(events_of("1 close(3) = 0\n1 close(12) = 0"), "1: close(3) = 0\ncut\n");
  EXPECT_EQ(events_of(""), "");
}

}  // namespace
}  // namespace antiphon::strace
