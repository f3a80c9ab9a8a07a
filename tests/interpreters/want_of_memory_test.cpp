#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "core/pool.hpp"
#include "core/programs/catalogue.hpp"
#include "interpreters/epoll.hpp"
#include "interpreters/fork.hpp"
#include "interpreters/uring.hpp"
#include "tests/heap.hpp"

/// Servers on real sockets whose heap has no memory left: each allocation fails once, one after the other. It costs one
/// client its service at most, and nobody else a byte.

namespace antiphon {
namespace {

constexpr std::size_t crowd_size = 5;

// -- Clients -----------------------------------------------------------------------------------------------------

class Client {
 public:
  explicit Client(const Endpoint& server) : socket_(kernel::begin_connecting(server).value()) {
    kernel::make_blocking(socket_.number());
    const timeval patience{.tv_sec = 60, .tv_usec = 0};
    setsockopt(socket_.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }

  /// Sends a message. One that is not served may meet a failure.
  void say(std::string_view text) {
    said_ += text;
    static_cast<void>(!send(socket_.number(), text.data(), text.size(), MSG_NOSIGNAL));
  }
  /// Reads what is owed so far.
  void hear() {
    while (heard_.size() < said_.size() && hear_more()) continue;
  }
  /// Ends its side and reads to the end of the other.
  void finish() {
    shutdown(socket_.number(), SHUT_WR);
    while (hear_more()) continue;
  }

  [[nodiscard]] bool is_served() const { return heard_ == said_; }
  /// Nothing was made up.
  [[nodiscard]] bool is_consistent() const { return said_.starts_with(heard_); }

 private:
  bool hear_more() {
    std::string more(4096, ' ');
    const ssize_t size = recv(socket_.number(), more.data(), more.size(), 0);
    if (size > 0) heard_ += more.substr(0, static_cast<std::size_t>(size));
    return size > 0;
  }

  kernel::Descriptor socket_;
  std::string said_;
  std::string heard_;
};

/// Clients that come together.
class Crowd {
 public:
  explicit Crowd(const Endpoint& server) {
    for (std::size_t count = 0; count < crowd_size; ++count) all_.push_back(std::make_unique<Client>(server));
  }

  void say(std::string_view text) {
    for (const auto& client : all_) client->say(text);
  }
  void hear() {
    for (const auto& client : all_) client->hear();
  }
  /// How many of them were not served to the end.
  std::size_t unserved() {
    for (const auto& client : all_) client->finish();
    EXPECT_TRUE(std::ranges::all_of(all_, [](const auto& one) { return one->is_consistent(); }));
    return static_cast<std::size_t>(std::ranges::count_if(all_, [](const auto& one) { return !one->is_served(); }));
  }

 private:
  std::vector<std::unique_ptr<Client>> all_;
};

std::size_t unserved_of_crowd(const Endpoint& server) {
  Crowd crowd(server);
  for (const std::string& text : {std::string("hello"), std::string(3'000, 'x')}) {
    crowd.say(text);
    crowd.hear();
  }
  return crowd.unserved();
}

Server server_with_limits() {
  ProgramOptions options;
  options.server.at = {"127.0.0.1", 0};
  options.server.max_per_address = 1'000;
  options.session.until = {.wait_ms = 60'000, .drain_ms = 60'000};
  options.session.progress_ms = 60'000;
  return *program_named("stream", options);
}

// -- Event loops -------------------------------------------------------------------------------------------------

struct Epoll {
  static std::optional<std::string> why_not() { return std::nullopt; }
  static LoopReport run(const Server& server, const LoopOptions& options) { return run_on_epoll(server, options); }
};

struct Uring {
  static std::optional<std::string> why_not() { return why_no_uring(); }
  static LoopReport run(const Server& server, const LoopOptions& options) { return run_on_uring(server, options); }
};

/// All that the calling thread's pool gives while the heap gives nothing.
class UsedUpPool {
 public:
  UsedUpPool() { held_.reserve(100'000); }

  void take() {
    for (std::size_t size = pool::detail::step; size <= pool::detail::small_limit; size += pool::detail::step) {
      while (take(size)) continue;
    }
  }
  void give_back() {
    for (const auto& [block, size] : held_) pool::give_back(block, size);
    held_.clear();
  }

 private:
  bool take(std::size_t size) {
    try {
      held_.emplace_back(pool::take(size), size);
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  std::vector<std::pair<void*, std::size_t>> held_;
};

/// What a loop's thread came to.
struct Ending {
  bool threw = false;
  LoopReport report;
  std::int64_t failures = 0;  ///< Of the heap, since it listened.
};

/// A loop in a thread of its own, whose allocations from `first` to `last` fail, counted from when it listens.
template <class Interpreter>
class Serving {
 public:
  explicit Serving(std::int64_t first, std::int64_t last, ExchangeObserver* observer = nullptr) {
    thread_ = std::thread([this, first, last, observer] {
      LoopOptions options;
      options.stop = &stop_;
      options.observer = observer;
      options.errand = {errands_.number(), [this] { run_errand(); }};
      options.watch = [this, first, last](const ProcessEvent& event) {
        const auto* const listen = exchange_of<Listen>(event);
        if (listen == nullptr) return;
        bound_.set_value(listen->response->value());
        scarce_heap::fail(first, last);
      };
      try {
        ending_.report = Interpreter::run(server_with_limits(), options);
      } catch (const std::bad_alloc&) {
        ending_.threw = true;
      }
      ending_.failures += scarce_heap::recover();
    });
    at_ = bound_.get_future().get();
  }
  ~Serving() { stop(); }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

  [[nodiscard]] const Endpoint& at() const { return at_; }

  /// From here on all allocations of the thread fail, or none. `also_pool`: what it had put by is gone too.
  void let_all_fail(bool all, bool also_pool = false) {
    all_fail_ = all;
    also_pool_ = also_pool;
    is_told_ = {};
    eventfd_write(errands_.number(), 1);
    EXPECT_EQ(is_told_.get_future().wait_for(std::chrono::minutes(1)), std::future_status::ready);
  }

  Ending stop() {
    stop_.request();
    if (thread_.joinable()) thread_.join();
    return ending_;
  }

 private:
  void run_errand() {
    eventfd_t count = 0;
    eventfd_read(errands_.number(), &count);
    ending_.failures += scarce_heap::recover();
    pool_.give_back();
    if (all_fail_) scarce_heap::fail(1, scarce_heap::for_ever);
    if (also_pool_) pool_.take();
    is_told_.set_value();
  }

  Stop stop_;
  kernel::Descriptor errands_ = kernel::new_event();
  std::promise<Endpoint> bound_;
  std::promise<void> is_told_;
  bool all_fail_ = false;
  bool also_pool_ = false;
  UsedUpPool pool_;
  Endpoint at_;
  Ending ending_;
  std::thread thread_;
};

template <class Interpreter>
class WantOfMemory : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = Interpreter::why_not()) GTEST_SKIP() << *why;
  }
};

using Loops = testing::Types<Epoll, Uring>;
TYPED_TEST_SUITE(WantOfMemory, Loops);

TYPED_TEST(WantOfMemory, OnceAnywhereCostsOneClientAtMost) {
  std::int64_t nth = 1;
  for (bool failed = true; failed; ++nth) {
    Serving<TypeParam> serving(nth, nth);
    const std::size_t unserved = unserved_of_crowd(serving.at());
    const Ending ending = serving.stop();
    failed = ending.failures > 0;
    ASSERT_FALSE(ending.threw) << "allocation " << nth;
    ASSERT_TRUE(ending.report.result.has_value()) << "allocation " << nth;
    ASSERT_LE(unserved, failed ? 1U : 0U) << "allocation " << nth;
    ASSERT_EQ(ending.report.failed, 0) << "allocation " << nth;
  }
  EXPECT_GT(nth, 20) << "there was little that could fail";
}

TYPED_TEST(WantOfMemory, FromSomewhereOnLetsTheServerLive) {
  for (std::int64_t from = 1; from < 60; from += 7) {
    Serving<TypeParam> serving(from, scarce_heap::for_ever);
    Crowd crowd(serving.at());
    crowd.say("hello");
    serving.let_all_fail(false);
    crowd.unserved();
    EXPECT_EQ(unserved_of_crowd(serving.at()), 0U) << "allocation " << from;
    const Ending ending = serving.stop();
    ASSERT_FALSE(ending.threw) << "allocation " << from;
    ASSERT_TRUE(ending.report.result.has_value()) << "allocation " << from;
  }
}

TYPED_TEST(WantOfMemory, WhoIsServedStaysServed) {
  Serving<TypeParam> serving(0, -1);
  Crowd crowd(serving.at());
  const auto talk = [&] {
    crowd.say("a word");
    crowd.hear();
  };
  talk();
  serving.let_all_fail(true);
  talk();
  Client late(serving.at());
  late.say("late");
  talk();
  serving.let_all_fail(false);
  EXPECT_EQ(unserved_of_crowd(serving.at()), 0U);
  late.finish();
  EXPECT_TRUE(late.is_consistent());
  EXPECT_EQ(crowd.unserved(), 0U);
  const Ending ending = serving.stop();
  EXPECT_FALSE(ending.threw);
  EXPECT_TRUE(ending.report.result.has_value());
  EXPECT_GT(ending.failures, 0);
}

TYPED_TEST(WantOfMemory, WhereNothingIsLeftAtAllTheAcceptorWaits) {
  Serving<TypeParam> serving(0, -1);
  Crowd crowd(serving.at());
  crowd.say("a word");
  crowd.hear();
  serving.let_all_fail(true, true);
  Client late(serving.at());
  crowd.say("a word that is lost");
  EXPECT_EQ(crowd.unserved(), crowd_size);
  serving.let_all_fail(false);
  EXPECT_EQ(unserved_of_crowd(serving.at()), 0U);
  late.finish();
  const Ending ending = serving.stop();
  EXPECT_FALSE(ending.threw);
  EXPECT_TRUE(ending.report.result.has_value());
  EXPECT_EQ(ending.report.failed, static_cast<std::int64_t>(crowd_size));
}

/// What these tests are to find: it takes memory in the loop's thread, and does without a guard.
class Unguarded final : public ExchangeObserver {
 public:
  void saw(ProcessId, const ExchangeView& exchange, kernel::Nanoseconds) override {
    if (std::holds_alternative<ExchangeRef<Recv>>(exchange)) kept_ = std::make_unique<int>(1);
  }
  void forked(ProcessId, std::optional<ProcessId>) override {}
  void ended(ProcessId, const Result<Unit>&, kernel::Nanoseconds) override {}

 private:
  std::unique_ptr<int> kept_;
};

TYPED_TEST(WantOfMemory, APlantedPlaceWithoutAGuardIsFound) {
  bool found = false;
  bool failed = true;
  for (std::int64_t nth = 1; failed && !found; ++nth) {
    Unguarded observer;
    Serving<TypeParam> serving(nth, nth, &observer);
    unserved_of_crowd(serving.at());
    const Ending ending = serving.stop();
    failed = ending.failures > 0;
    found = ending.threw;
  }
  EXPECT_TRUE(found);
}

// -- Processes ---------------------------------------------------------------------------------------------------

/// How a forking server's first process ended.
enum class Status : std::uint8_t { whole, failed, threw };

/// Reports where it listens; from then on the allocations from `first` to `last` fail, in each process that comes to
/// them.
class Scarce {
 public:
  Scarce(ForkHandler& handler, int report_to, std::int64_t first, std::int64_t last)
      : handler_(&handler), report_to_(report_to), first_(first), last_(last) {}

  template <Instruction I>
  typename I::Response operator()(const I& instruction) {
    typename I::Response response = (*handler_)(instruction);
    if constexpr (std::same_as<I, Listen>) {
      if (write(report_to_, &response->port, sizeof(response->port)) < 0) std::_Exit(1);
      scarce_heap::fail(first_, last_);
    }
    return response;
  }

 private:
  ForkHandler* handler_;
  int report_to_;
  std::int64_t first_;
  std::int64_t last_;
};

/// A server in a process of its own.
class ForkServing {
 public:
  ForkServing(std::int64_t first, std::int64_t last) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    pid_ = fork();
    if (pid_ == 0) std::_Exit(static_cast<int>(serve(ends[1], first, last)));
    std::uint16_t port = 0;
    EXPECT_EQ(read(ends[0], &port, sizeof(port)), static_cast<ssize_t>(sizeof(port)));
    at_ = {"127.0.0.1", port};
    close(ends[0]);
    close(ends[1]);
  }

  [[nodiscard]] const Endpoint& at() const { return at_; }
  [[nodiscard]] Status stop() const {
    kill(pid_, SIGTERM);
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    EXPECT_TRUE(WIFEXITED(status));
    return static_cast<Status>(WEXITSTATUS(status));
  }

 private:
  static Status serve(int report_to, std::int64_t first, std::int64_t last) {
    ForkHandler handler;
    try {
      static_cast<void>(run(server_with_limits(), Scarce(handler, report_to, first, last)));
      handler.await_children(60'000);
    } catch (const std::bad_alloc&) {
      return Status::threw;
    }
    return scarce_heap::recover() > 0 ? Status::failed : Status::whole;
  }

  pid_t pid_ = -1;
  Endpoint at_;
};

TEST(WantOfMemoryOnFork, OnceAnywhereCostsOneClientAtMost) {
  std::int64_t nth = 1;
  for (Status status = Status::failed; status == Status::failed; ++nth) {
    const ForkServing serving(nth, nth);
    const std::size_t unserved = unserved_of_crowd(serving.at());
    status = serving.stop();
    ASSERT_NE(status, Status::threw) << "allocation " << nth;
    ASSERT_LE(unserved, 1U) << "allocation " << nth;
  }
  EXPECT_GT(nth, crowd_size) << "each child takes memory of its parent";
}

TEST(WantOfMemoryOnFork, FromSomewhereOnLetsTheServerLive) {
  for (std::int64_t from = 1; from < 13; from += 4) {
    const ForkServing serving(from, scarce_heap::for_ever);
    Crowd crowd(serving.at());
    crowd.say("hello");
    std::this_thread::sleep_for(std::chrono::milliseconds(300));  // it asks for clients again and again
    EXPECT_EQ(serving.stop(), Status::failed) << "allocation " << from;
  }
}

}  // namespace
}  // namespace antiphon
