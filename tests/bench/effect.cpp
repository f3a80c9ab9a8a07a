// What the notation costs: the stream session of core, run by `run` against a handler of stubs, beside the same loop
// written by hand over the same stubs.
//
//   effect [MESSAGES [ROUNDS]]
//
// Prints one line of JSON: nanoseconds and heap allocations for each instruction, and nanoseconds to copy a process.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

#include "core/handler.hpp"
#include "core/programs/echo.hpp"

// ---- Heap allocations, counted ----

namespace {

std::int64_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* const block = std::malloc(size == 0 ? 1 : size)) return block;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }

namespace antiphon {

namespace {

/// The stubs. They are calls that the compiler cannot see through, as system calls are.
class World {
 public:
  explicit World(std::int64_t messages) : left_(messages), message_(Bytes::copy_of("sixty-four bytes, or so")) {}

  [[gnu::noinline]] Result<Bytes> recv(Socket, std::size_t, const Deadline&) {
    if (left_-- == 0) return Bytes();
    return message_;
  }
  [[gnu::noinline]] Result<std::size_t> send(Socket, const Bytes& bytes, const Deadline&) {
    sent_ += bytes.size();
    return bytes.size();
  }
  [[gnu::noinline]] Result<Unit> close(Socket) { return Unit{}; }
  [[gnu::noinline]] Result<Unit> sleep(std::int64_t) { return Unit{}; }

  [[nodiscard]] std::uint64_t sent() const { return sent_; }

 private:
  std::int64_t left_;
  std::uint64_t sent_ = 0;
  Bytes message_;
};

/// Gives the session's instructions their meaning; a session issues no others.
struct Stubs {
  World& world;

  Result<Bytes> operator()(const Recv& recv) const { return world.recv(recv.from, recv.at_most, recv.until); }
  Result<std::size_t> operator()(const Send& send) const { return world.send(send.to, send.bytes, send.until); }
  Result<Unit> operator()(const Close& close) const { return world.close(close.socket); }
  Result<Unit> operator()(const Sleep& sleep) const { return world.sleep(sleep.wait_ms); }

  template <Instruction I>
  typename I::Response operator()(const I&) const {
    std::abort();
  }
};

/// True if the call that failed shall be tried again; then the rest is over.
bool try_again(World& world, Errno error, std::int64_t& rest_ms) {
  if (error == Errno::INTR) return true;
  if (!passes_by_itself(error) || rest_ms > echo::longest_rest_ms) return false;
  static_cast<void>(world.sleep(rest_ms));
  rest_ms *= 2;
  return true;
}

bool send_all_by_hand(World& world, Socket client, const Bytes& message, const SessionOptions& options) {
  std::int64_t rest_ms = echo::first_rest_ms;
  Bytes left = message;
  while (!left.empty()) {
    const Result<std::size_t> sent = world.send(client, left, options.until);
    if (sent) {
      left = left.drop(*sent);
      rest_ms = echo::first_rest_ms;
    } else if (!try_again(world, sent.error(), rest_ms)) {
      return false;
    }
  }
  return true;
}

/// The stream session, by hand.
void echo_by_hand(World& world, Socket client, const SessionOptions& options) {
  std::int64_t rest_ms = echo::first_rest_ms;
  for (;;) {
    const Result<Bytes> message = world.recv(client, options.at_most, options.until);
    if (message) {
      if (message->empty() || !send_all_by_hand(world, client, *message, options)) break;
      rest_ms = echo::first_rest_ms;
    } else if (!try_again(world, message.error(), rest_ms)) {
      break;
    }
  }
  static_cast<void>(world.close(client));
}

struct Cost {
  double ns = 0;
  double heap = 0;
};

/// Of one of `count` things that the work does.
template <class Work>
Cost cost_of(std::int64_t count, Work&& work) {
  const std::int64_t before = allocations;
  const auto start = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
  const auto each = static_cast<double>(count);
  return {time.count() / each, static_cast<double>(allocations - before) / each};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

Cost cost_of_program(std::int64_t messages) {
  World world(messages);
  return cost_of(2 * messages, [&] { run(stream_session(SessionOptions{})(Socket{5}), Stubs{world}); });
}

Cost cost_by_hand(std::int64_t messages) {
  World world(messages);
  return cost_of(2 * messages, [&] { echo_by_hand(world, Socket{5}, SessionOptions{}); });
}

/// A process that waits in the middle of the session, copied and let go of.
Cost cost_of_copy(std::int64_t copies) {
  Process process(stream_session(SessionOptions{})(Socket{5}));
  process.answer<Recv>(Bytes::copy_of("a message"));
  return cost_of(copies, [&] {
    for (std::int64_t i = 0; i < copies; ++i) {
      const auto copy = process;
      // The compiler must believe that the copy is looked at.
      asm volatile("" : : "r"(&copy) : "memory");
    }
  });
}

int report(std::int64_t messages, int rounds) {
  std::vector<double> program;
  std::vector<double> by_hand;
  std::vector<double> ratio;
  std::vector<double> copy;
  Cost last_program;
  Cost last_by_hand;
  cost_of_program(messages / 10);
  for (int round = 0; round < rounds; ++round) {
    last_program = cost_of_program(messages);
    last_by_hand = cost_by_hand(messages);
    program.push_back(last_program.ns);
    by_hand.push_back(last_by_hand.ns);
    ratio.push_back(last_program.ns / last_by_hand.ns);
    copy.push_back(cost_of_copy(messages).ns);
  }
  std::printf(
      "{\"messages\": %lld, \"rounds\": %d, \"program_ns\": %.2f, \"by_hand_ns\": %.2f, \"ratio\": %.2f, "
      "\"program_heap\": %.6f, \"by_hand_heap\": %.6f, \"copy_ns\": %.2f}\n",
      static_cast<long long>(messages), rounds, median(program), median(by_hand), median(ratio), last_program.heap,
      last_by_hand.heap, median(copy));
  return 0;
}

}  // namespace
}  // namespace antiphon

int main(int count, char** values) {
  const std::int64_t messages = count > 1 ? std::max(1LL, std::atoll(values[1])) : 2'000'000;
  const int rounds = count > 2 ? std::max(1, std::atoi(values[2])) : 7;
  return antiphon::report(messages, rounds);
}
