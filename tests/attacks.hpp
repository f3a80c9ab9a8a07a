#pragma once

#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string_view>

/// What somebody tries who has taken a server over. Each goes straight to the kernel, and does no harm if it gets
/// there.

namespace antiphon::attacks {

struct Attack {
  std::string_view name;
  long (*attempt)();  ///< As a system call answers: below 0 with errno, if it failed.
  int harmless = 0;   ///< The errno by which the kernel shows that it would have done it.
};

inline long make_executable() {
  void* const page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
}

inline long make_ring() {
  io_uring_params parameters{};
  return syscall(SYS_io_uring_setup, 1, &parameters);
}

inline long become(const char* path) {
  char* const none[] = {nullptr};
  return syscall(SYS_execve, path, none, none);
}

inline constexpr int no_process = 0x3FFF'FFFF;

inline sockaddr_in loopback(std::uint16_t port) {
  return {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
}

/// Like the server's, for attacks on it. -1: there is none.
inline int listener = -1;

/// To be called before the sandbox is closed.
inline void open_listener() {
  listener = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in any_port = loopback(0);
  bind(listener, reinterpret_cast<const sockaddr*>(&any_port), sizeof(any_port));
  listen(listener, 1);
}

/// Connects a socket by a send: to a port that nobody listens at, so it is refused.
inline long send_to_an_address(long socket) {
  const sockaddr_in nobody = loopback(1);
  return syscall(SYS_sendto, socket, "", 1, MSG_FASTOPEN, &nobody, sizeof(nobody));
}

inline long connect_the_listener() {
  if (syscall(SYS_shutdown, listener, SHUT_RD) < 0) return -1;
  return send_to_an_address(listener);
}

inline long send_to_an_address() {
  const long made = syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
  return made < 0 ? made : send_to_an_address(made);
}

inline constexpr Attack all[] = {
    {"open", [] { return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY); }},
    {"peek", [] { return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC); }},
    {"create", [] { return syscall(SYS_openat, AT_FDCWD, "/tmp", O_TMPFILE | O_RDWR, 0600); }},
    {"exec", [] { return become("/nothing/is/here"); }, ENOENT},
    {"socket", [] { return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0); }},
    {"unix", [] { return syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0); }},
    {"connect", [] { return syscall(SYS_connect, -1, nullptr, 0); }, EBADF},
    {"fastopen", connect_the_listener, ECONNREFUSED},
    {"fastopen-new", send_to_an_address, ECONNREFUSED},
    {"datagrams", [] { return syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0); }},
    {"ptrace", [] { return syscall(SYS_ptrace, PTRACE_ATTACH, no_process, nullptr, nullptr); }, ESRCH},
    {"kill", [] { return syscall(SYS_kill, no_process, SIGTERM); }, ESRCH},
    {"ring", make_ring},
    {"mprotect", make_executable},
    {"mmap",
     [] { return syscall(SYS_mmap, nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L); }},
    {"unshare", [] { return syscall(SYS_unshare, 0); }},
    {"thread", [] { return syscall(SYS_clone, CLONE_THREAD, nullptr, nullptr, nullptr, 0L); }, EINVAL},
    {"prctl", [] { return syscall(SYS_prctl, PR_SET_DUMPABLE, 1L, 0L, 0L, 0L); }},
    {"pidfd", [] { return syscall(SYS_pidfd_open, no_process, 0); }, ESRCH},
};

/// True: the kernel did it, or would have. Else errno says what it answered instead.
inline bool succeeds(const Attack& attack) { return attack.attempt() >= 0 || errno == attack.harmless; }

}  // namespace antiphon::attacks
