// A library that takes echo-server over: loaded into it (LD_PRELOAD), it stands where the interpreter receives. Once
// the first message has come in, it attempts the attacks that the variable ATTACKS names and tells what became of each,
// a line on standard error: "attack open: succeeds" or "attack open: EACCES". Then it serves on.

#include <dlfcn.h>
#include <liburing.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/attacks.hpp"

namespace {

using namespace antiphon;

void tell(std::string_view name, bool succeeds, int error) {
  const char* const outcome = succeeds ? "succeeds" : strerrorname_np(error);
  std::array<char, 100> line{};
  const int size =
      std::snprintf(line.data(), line.size(), "attack %.*s: %s\n", static_cast<int>(name.size()), name.data(), outcome);
  static_cast<void>(!write(STDERR_FILENO, line.data(), static_cast<std::size_t>(size)));
}

bool is_wanted(std::string_view name) {
  const std::string wanted = std::string(",") + std::getenv("ATTACKS") + ",";
  return wanted.find("," + std::string(name) + ",") != std::string::npos;
}

/// Before the server begins: later it may open none.
[[gnu::constructor]] void prepare() {
  if (is_wanted("fastopen")) attacks::open_listener();
}

/// True for the first message of a process.
bool is_time() {
  static std::atomic<bool> over = false;
  return !over.exchange(true);
}

void attack() {
  for (const attacks::Attack& one : attacks::all) {
    if (!is_wanted(one.name)) continue;
    const bool succeeds = attacks::succeeds(one);
    tell(one.name, succeeds, errno);
  }
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// -- By the ring -------------------------------------------------------------------------------------------------

/// The server takes no notice of completions with this name: the lowest bits tell it what they are of.
constexpr std::uint64_t ours = 0x5EC0'0000;

template <class Prepare>
void attack_by_ring(io_uring* ring, std::string_view name, Prepare prepare) {
  if (!is_wanted(name)) return;
  io_uring_sqe* const sqe = io_uring_get_sqe(ring);
  prepare(sqe);
  sqe->user_data = ours;
  real<decltype(io_uring_submit_and_wait)>("io_uring_submit_and_wait")(ring, 1);
  unsigned head = 0;
  io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(ring, head, cqe) {
    if (cqe->user_data == ours) return tell(name, cqe->res >= 0 || cqe->res == -EBADF, -cqe->res);
  }
  tell(name, false, EAGAIN);
}

void attack_by_ring(io_uring* ring) {
  attack_by_ring(ring, "ring-open",
                 [](io_uring_sqe* sqe) { io_uring_prep_openat(sqe, AT_FDCWD, "/etc/passwd", O_RDONLY, 0); });
  attack_by_ring(ring, "ring-socket", [](io_uring_sqe* sqe) { io_uring_prep_socket(sqe, AF_INET, SOCK_STREAM, 0, 0); });
  attack_by_ring(ring, "ring-connect", [](io_uring_sqe* sqe) { io_uring_prep_connect(sqe, -1, nullptr, 0); });
  attack_by_ring(ring, "ring-shutdown", [](io_uring_sqe* sqe) { io_uring_prep_shutdown(sqe, -1, SHUT_RD); });
  attack_by_ring(ring, "ring-write", [](io_uring_sqe* sqe) { io_uring_prep_write(sqe, STDERR_FILENO, "", 0, 0); });
}

bool has_received(io_uring* ring) {
  unsigned head = 0;
  io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(ring, head, cqe) {
    if (cqe->res > 0 && (cqe->flags & IORING_CQE_F_BUFFER) != 0) return true;
  }
  return false;
}

int after(int outcome, io_uring* ring) {
  // (Whether uring works here is asked with a ring of its own before the server listens.)
  static std::atomic<int> rings_tried = 0;
  if (!has_received(ring) || rings_tried.fetch_add(1) == 0 || !is_time()) return outcome;
  attack_by_ring(ring);
  attack();
  return outcome;
}

}  // namespace

// -- Where interpreters receive ----------------------------------------------------------------------------------

extern "C" {

// (By their names in the library: the headers' declarations stay as they are.)
ssize_t attacking_recv(int descriptor, void* into, size_t size, int flags) asm("recv");
int attacking_wait(io_uring* ring, unsigned count) asm("io_uring_submit_and_wait");
int attacking_look(io_uring* ring) asm("io_uring_submit_and_get_events");
int attacking_timed_wait(io_uring* ring, io_uring_cqe** cqe, unsigned count, __kernel_timespec* timeout,
                         sigset_t* mask) asm("io_uring_submit_and_wait_timeout");

ssize_t attacking_recv(int descriptor, void* into, size_t size, int flags) {
  const ssize_t received = real<decltype(recv)>("recv")(descriptor, into, size, flags);
  if (received > 0 && is_time()) attack();
  return received;
}

int attacking_wait(io_uring* ring, unsigned count) {
  return after(real<decltype(io_uring_submit_and_wait)>("io_uring_submit_and_wait")(ring, count), ring);
}

int attacking_look(io_uring* ring) {
  return after(real<decltype(io_uring_submit_and_get_events)>("io_uring_submit_and_get_events")(ring), ring);
}

int attacking_timed_wait(io_uring* ring, io_uring_cqe** cqe, unsigned count, __kernel_timespec* timeout,
                         sigset_t* mask) {
  const auto call = real<decltype(io_uring_submit_and_wait_timeout)>("io_uring_submit_and_wait_timeout");
  return after(call(ring, cqe, count, timeout, mask), ring);
}
}
