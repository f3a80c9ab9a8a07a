#include "interpreters/sandbox/needs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <csignal>
#include <set>
#include <utility>

namespace antiphon::sandbox {

constexpr std::uint64_t all_bits = 0xFFFF'FFFF;  // the kernel takes these arguments as int

Permission call(std::string_view name) { return call(name, "", {}); }

Permission call(std::string_view name, std::string_view only, std::vector<Condition> when) {
  return {Permission::Kind::call, name, only, std::move(when)};
}

Permission shutdown_write() { return call("shutdown", "SHUT_WR", {{1, all_bits, SHUT_WR}}); }

Permission send_on_connection() { return call("sendto", "no address", {{4, ~std::uint64_t{0}, 0}}); }

std::string text_of(const Permission& permission) {
  if (permission.kind == Permission::Kind::ring) return fmt::format("ring: {}", permission.name);
  if (permission.only.empty()) return std::string(permission.name);
  return fmt::format("{}({})", permission.name, permission.only);
}

namespace {

Permission ring(std::string_view name, std::uint8_t operation) {
  return {Permission::Kind::ring, name, "", {}, operation};
}

/// A call whose argument must be this number.
Permission call_with(std::string_view name, std::string_view only, unsigned argument, std::uint64_t value) {
  return call(name, only, {{argument, all_bits, value}});
}

/// A socket for TCP.
Permission socket_of(std::string_view only, std::uint64_t family) {
  constexpr std::uint64_t type = 0xF;  // beside SOCK_CLOEXEC and SOCK_NONBLOCK
  return call("socket", only, {{0, all_bits, family}, {1, type, SOCK_STREAM}, {2, all_bits, 0}});
}

Permission option(std::string_view only, std::uint64_t level, std::uint64_t name) {
  return call("setsockopt", only, {{1, all_bits, level}, {2, all_bits, name}});
}

// -- What several need -------------------------------------------------------------------------------------------

const Permission close_call = call("close");
const Permission epoll_ctl_call = call("epoll_ctl");
const Permission write_call = call("write");
const Permission munmap_call = call("munmap");
const Permission futex_call = call("futex");
const Permission socket_4 = socket_of("AF_INET, SOCK_STREAM", AF_INET);
const Permission socket_6 = socket_of("AF_INET6, SOCK_STREAM", AF_INET6);
const Permission get_flags = call_with("fcntl", "F_GETFL", 1, F_GETFL);
const Permission set_flags = call_with("fcntl", "F_SETFL", 1, F_SETFL);
const Permission linger = option("SO_LINGER", SOL_SOCKET, SO_LINGER);
const Permission cancel = ring("ASYNC_CANCEL", IORING_OP_ASYNC_CANCEL);

// -- The instructions --------------------------------------------------------------------------------------------

constexpr unsigned on(Interpreter interpreter) { return 1U << static_cast<unsigned>(interpreter); }

constexpr unsigned on_fork = on(Interpreter::fork);
constexpr unsigned on_epoll = on(Interpreter::epoll);
constexpr unsigned on_uring = on(Interpreter::uring);
constexpr unsigned on_loops = on_epoll | on_uring;
constexpr unsigned on_all = on_fork | on_loops;

enum class When : std::uint8_t { always, counting };

struct Row {
  unsigned interpreters;
  Need need;
  When when = When::always;  ///< Counting: only if its clients are counted by address.
};

/// fork(2) of the C library: the flags that it gives clone(2), and no others.
Permission fork_call() { return call_with("clone", "as fork", 0, CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD); }

const std::vector<Row>& rows() {
  static const std::vector<Row> rows{
      {on_all, {OpenSocket::name, socket_4, "the listener"}},
      {on_all, {OpenSocket::name, socket_6, "the listener"}},
      {on_all, {OpenSocket::name, option("SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR), "the port may have been in use"}},
      {on_loops, {OpenSocket::name, option("SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT), "workers share the port"}},
      {on_all, {OpenSocket::name, call("bind"), "its address"}},
      {on_loops, {OpenSocket::name, call("getsockname"), "the port that workers share"}},
      {on_uring, {OpenSocket::name, get_flags, "the ring waits where the socket blocks"}},
      {on_uring, {OpenSocket::name, set_flags, "the ring waits where the socket blocks"}},
      {on_all, {OpenSocket::name, close_call, "a socket that came to nothing"}},

      {on_all, {Listen::name, call("listen"), "clients may connect"}},
      {on_all, {Listen::name, call("getsockname"), "the address that clients reach"}},

      {on_fork | on_epoll, {Accept::name, call("accept4"), "the next client"}},
      {on_epoll, {Accept::name, epoll_ctl_call, "to be told of clients"}},
      {on_uring, {Accept::name, ring("ACCEPT", IORING_OP_ACCEPT), "clients as they come"}},
      {on_uring, {Accept::name, cancel, "no clients for now"}},
      {on_uring, {Accept::name, linger, "a client that nobody took meets a reset"}},
      {on_all, {Accept::name, close_call, "a client that there is no memory for"}},

      {on_all, {Connect::name, socket_4, "the connection"}},
      {on_all, {Connect::name, socket_6, "the connection"}},
      {on_all, {Connect::name, option("TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY), "each Send leaves at once"}},
      {on_all, {Connect::name, call("connect"), "to the server"}},
      {on_all,
       {Connect::name, call("getsockopt", "SO_ERROR", {{1, all_bits, SOL_SOCKET}, {2, all_bits, SO_ERROR}}),
        "what became of it"}},
      {on_epoll, {Connect::name, epoll_ctl_call, "to be told when it is through"}},
      {on_uring, {Connect::name, ring("POLL_ADD", IORING_OP_POLL_ADD), "to be told when it is through"}},
      {on_uring, {Connect::name, cancel, "its deadline"}},
      {on_uring, {Connect::name, get_flags, "the ring waits where the socket blocks"}},
      {on_uring, {Connect::name, set_flags, "the ring waits where the socket blocks"}},
      {on_all, {Connect::name, close_call, "a connection that came to nothing"}},

      {on_fork | on_epoll, {Recv::name, call("recvfrom"), "what has arrived"}},
      {on_epoll, {Recv::name, epoll_ctl_call, "to be told when something arrives"}},
      {on_uring, {Recv::name, ring("RECV", IORING_OP_RECV), "what arrives, as it does"}},
      {on_uring, {Recv::name, cancel, "no more for now"}},
      {on_uring, {Recv::name, call("recvfrom"), "whether something came before its deadline"}},

      {on_fork | on_epoll, {Send::name, send_on_connection(), "what there is room for"}},
      {on_epoll, {Send::name, epoll_ctl_call, "to be told when there is room"}},
      {on_epoll, {Send::name, call("poll"), "whether there came to be room before its deadline"}},
      {on_uring, {Send::name, ring("SEND", IORING_OP_SEND), "what there is room for"}},
      {on_uring, {Send::name, cancel, "its deadline"}},

      {on_all, {ShutdownSend::name, shutdown_write(), "our end"}},

      {on_all, {Close::name, close_call, "the last name of the socket"}},
      {on_uring, {Close::name, cancel, "what it still waits for"}},
      {on_uring, {Close::name, linger, "unread input that was received ahead resets"}},

      {on_fork, {Fork::name, fork_call(), "a process for the session"}},
      {on_fork, {Fork::name, call("set_robust_list"), "the C library in the new process"}},
      {on_fork, {Fork::name, call("wait4"), "how children ended"}},
      {on_all, {Fork::name, call("getpeername"), "the client's address"}, When::counting},

      {on_fork, {DiscardChildren::name, call("wait4"), "no zombies"}},
  };
  return rows;
}

void put(std::vector<Need>& needs, const std::vector<Need>& more) {
  needs.insert(needs.end(), more.begin(), more.end());
}

// -- The process -------------------------------------------------------------------------------------------------

std::vector<Need> needs_of_loop(Interpreter interpreter) {
  switch (interpreter) {
    case Interpreter::fork:
      return {{"waiting", call("ppoll"), "for a socket, the stop or a deadline"},
              {"waiting", call("read"), "which signals came (signalfd)"},
              {"waiting", write_call, "the stop, told to all processes (eventfd)"},
              {"waiting", call("wait4"), "for the last sessions to end"},
              {"waiting", call_with("kill", "SIGKILL", 1, SIGKILL), "sessions that do not end at once when asked to"}};
    case Interpreter::epoll:
      return {{"waiting", call("epoll_wait"), "for any socket, the stop or a deadline"},
              {"waiting", call("sched_yield"), "polling gives way to others"},
              {"waiting", call("clock_nanosleep"), "a rest when the kernel has no room"},
              {"waiting", write_call, "the stop, told to all loops (eventfd)"}};
    case Interpreter::uring:
      return {{"waiting", call("io_uring_enter"), "submits what there is, and waits"},
              {"waiting", ring("POLL_ADD", IORING_OP_POLL_ADD), "for the stop"},
              {"waiting", cancel, "everything, at the end"},
              {"waiting", call_with("io_uring_register", "UNREGISTER_RING_FDS", 1, IORING_UNREGISTER_RING_FDS),
               "the ring is given back"},
              {"waiting", call("sched_yield"), "polling gives way to others"},
              {"waiting", call("clock_nanosleep"), "a rest when the kernel has no room"},
              {"waiting", write_call, "the stop, told to all loops (eventfd)"}};
  }
  return {};
}

std::vector<Need> needs_of_trace(const Surroundings& surroundings) {
  std::vector<Need> needs{{"trace", write_call, "its lines"},
                          {"trace", futex_call, "one writer at a time"},
                          {"trace", call("newfstatat"), "whether it is a file, and in its place"},
                          {"trace", call("ftruncate"), "half a line of a writer that was killed"}};
  if (!surroundings.trace_folder) return needs;
  put(needs, {{"trace", call("openat"), "the file in which it goes on"}, {"trace", close_call, "the one before"}});
  if (!surroundings.trace_bounded) return needs;
  put(needs,
      {{"trace", call("rename"), "the part that is full"}, {"trace", call("unlink"), "the part that is too old"}});
  return needs;
}

/// Of the first thread: what operators and service managers ask.
std::vector<Need> needs_of_life(const Surroundings& surroundings) {
  std::vector<Need> needs{{"errands", call("read"), "which of SIGHUP and SIGUSR1 came, and the clock"},
                          {"errands", call("getpid"), "who it is"}};
  if (surroundings.notices) needs.push_back({"errands", send_on_connection(), "notices to the service manager"});
  if (surroundings.takes_over) needs.push_back({"errands", call("wait4"), "who asked the old server to stop"});
  return needs;
}

/// Files that the C library looks into, if it can.
Refusal peeks_at_files() {
  return {call_with("openat", "O_RDONLY|O_CLOEXEC", 2, O_RDONLY | O_CLOEXEC), EACCES,
          "the C library: vm.overcommit_memory before a thread's heap shrinks; /etc/localtime"};
}

std::vector<Need> needs_of_monitor(bool aborts) {
  std::vector<Need> needs{{"monitor", send_on_connection(), "events"},
                          {"monitor", call("recvfrom"), "its verdict"},
                          {"monitor", shutdown_write(), "no more events"},
                          {"monitor", call("wait4"), "its end"}};
  if (!aborts) return needs;
  put(needs, {{"monitor", call_with("prctl", "PR_SET_PDEATHSIG", 0, PR_SET_PDEATHSIG), "sessions end with the server"},
              {"monitor", call("getppid"), "whether the server is still there"}});
  return needs;
}

/// To end their process.
std::vector<Need> needs_of_metrics() {
  return {{"metrics", shutdown_write(), "their process is told to end"},
          {"metrics", option("SO_RCVTIMEO", SOL_SOCKET, SO_RCVTIMEO), "and waited for, not for long"},
          {"metrics", call("recvfrom"), "until it has let go"},
          {"metrics", call("wait4"), "until it has ended"}};
}

}  // namespace

std::vector<Need> needs_of(const InstructionNames& instructions, Interpreter interpreter, bool counts_addresses) {
  std::vector<Need> needs;
  for (const Row& row : rows()) {
    if (row.when == When::counting && !counts_addresses) continue;
    if ((row.interpreters & on(interpreter)) != 0 && instructions.contains(row.need.who)) needs.push_back(row.need);
  }
  return needs;
}

std::vector<Need> needs_of(const Reach& reach, Interpreter interpreter) {
  return needs_of(reach.listening, interpreter, reach.counts_addresses);
}

std::vector<Need> needs_of_any_process() {
  constexpr std::uint64_t get_terminal = 0x5401;  // TCGETS, which is of no header that goes with <sys/ioctl.h>
  return {{"memory", call("mmap", "no PROT_EXEC", {{2, PROT_EXEC, 0}}), "malloc"},
          {"memory", munmap_call, "malloc"},
          {"memory", call("mremap"), "realloc"},
          {"memory", call("madvise"), "memory that is given back"},
          {"memory", call("brk"), "malloc"},
          {"runtime", futex_call, "what C++ does once: the tables for its first exception"},
          {"clock", call("clock_gettime"), "where the kernel has no faster way"},
          {"log", write_call, "lines"},
          {"log", call("poll"), "whether a line can be written at once"},
          {"log", call("newfstatat"), "stdio asks what standard output is"},
          {"log", call("fstat"), "the same"},
          {"log", call_with("ioctl", "TCGETS", 1, get_terminal), "the same"},
          {"signals", call("rt_sigreturn"), "the end of a handler"},
          {"signals", call("rt_sigaction"), "handlers are put back at the end"},
          {"signals", call("rt_sigprocmask"), "signals are held back and let in"},
          {"signals", call("restart_syscall"), "goes on waiting after SIGCONT"},
          {"end", close_call, "what is still open"},
          {"end", call("exit_group"), "the end"}};
}

std::vector<Need> needs_of_threads() {
  return {{"workers", futex_call, "they wait for each other at the start and the end"},
          {"workers", call("mprotect", "no PROT_EXEC", {{2, PROT_EXEC, 0}}), "a thread's heap grows"},
          {"workers", call("sched_getaffinity"), "malloc: how many heaps there may be"},
          {"workers", call("exit"), "the end of a thread"}};
}

std::vector<Need> needs_of_main_thread(const Surroundings& surroundings) {
  std::vector<Need> needs = needs_of_any_process();
  put(needs, needs_of_threads());
  put(needs, needs_of_life(surroundings));
  if (surroundings.trace) put(needs, needs_of_trace(surroundings));
  if (surroundings.metrics) put(needs, needs_of_metrics());
  return needs;
}

std::vector<Need> needs_of(const Surroundings& surroundings) {
  std::vector<Need> needs = needs_of_loop(surroundings.interpreter);
  put(needs, needs_of_any_process());
  if (surroundings.threads) put(needs, needs_of_threads());
  put(needs, needs_of_life(surroundings));
  if (surroundings.trace) put(needs, needs_of_trace(surroundings));
  if (surroundings.monitor) put(needs, needs_of_monitor(surroundings.aborts));
  // (Where there are several threads the main one ends it.)
  if (surroundings.metrics && !surroundings.threads) put(needs, needs_of_metrics());
  return needs;
}

std::vector<std::uint8_t> ring_operations(const std::vector<Need>& needs) {
  std::set<std::uint8_t> operations;
  for (const Need& need : needs) {
    if (need.what.kind == Permission::Kind::ring) operations.insert(need.what.operation);
  }
  return {operations.begin(), operations.end()};
}

std::vector<Refusal> refusals_for(const InstructionNames& instructions, const Surroundings& surroundings) {
  constexpr std::uint64_t name_memory = 0x53564d41;  // PR_SET_VMA, newer than the headers of Debian 12
  std::vector<Refusal> refusals{
      {call_with("prctl", "PR_SET_VMA", 0, name_memory), EINVAL, "newer C libraries give their memory a name"}};
  // (Landlock refuses it otherwise.)
  if (!surroundings.trace_folder) refusals.push_back(peeks_at_files());
  if (instructions.contains(Connect::name) || instructions.contains(OpenSocket::name)) {
    refusals.push_back({call_with("socket", "AF_UNIX", 0, AF_UNIX), EAFNOSUPPORT,
                        "the C library asks for an interface by its name (fe80::1%eth0)"});
  }
  return refusals;
}

}  // namespace antiphon::sandbox
