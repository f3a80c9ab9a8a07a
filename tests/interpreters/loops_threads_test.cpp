#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "interpreters/epoll.hpp"
#include "interpreters/free_address.hpp"
#include "interpreters/uring.hpp"
#include "tests/interpreters/real_client.hpp"
#include "tests/interpreters/small_programs.hpp"

/// Several loops in threads of one process, which share an address, a stop and a limit.

namespace antiphon {
namespace {

using namespace small;

constexpr std::size_t loop_count = 3;
constexpr Deadline until_the_stop{.wait_ms = forever_ms, .drain_ms = 0};

struct Epoll {
  static constexpr std::string_view name = "epoll";
  static std::optional<std::string> why_not() { return std::nullopt; }
  static LoopReport run(const Server& server, const LoopOptions& options) { return run_on_epoll(server, options); }
};

struct Uring {
  static constexpr std::string_view name = "uring";
  static std::optional<std::string> why_not() { return why_no_uring(); }
  static LoopReport run(const Server& server, const LoopOptions& options) { return run_on_uring(server, options); }
};

/// One loop in a thread of its own, with a program value of its own.
template <class Interpreter>
class Worker final : public TraceSink {
 public:
  Worker(const ProgramOptions& options, kernel::Sharing sharing, Stop& stop, LoopFamily& family) {
    thread_ = std::thread([=, this, &stop, &family] {
      LoopOptions loop;
      loop.stop = &stop;
      loop.family = &family;
      loop.sharing = sharing;
      loop.trace = this;
      report_ = Interpreter::run(*program_named("stream", options), loop);
      if (!told_) bound_.set_value(std::nullopt);
    });
  }
  ~Worker() override { join(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Where it listens; none: it ended without.
  std::optional<Endpoint> bound() { return bound_.get_future().get(); }
  LoopReport join() {
    if (thread_.joinable()) thread_.join();
    return report_;
  }
  /// Once it has ended: the clients that it took.
  [[nodiscard]] int accepted() const { return accepted_; }

  ProcessId next_process() override { return 0; }
  void give_back(ProcessId) override {}
  void flush() override {}
  void write(const ProcessEvent& event) override {
    const auto* const issued = std::get_if<Issued>(&event.what);
    if (issued == nullptr) return;
    if (const auto* const accept = std::get_if<Exchange<Accept>>(&issued->exchange)) {
      if (*accept->response) ++accepted_;
    }
    if (const auto* const listen = std::get_if<Exchange<Listen>>(&issued->exchange)) {
      if (!*listen->response) return;
      told_ = true;
      bound_.set_value(**listen->response);
    }
  }

 private:
  std::promise<std::optional<Endpoint>> bound_;
  bool told_ = false;
  int accepted_ = 0;
  LoopReport report_;
  std::thread thread_;
};

/// A server of several loops.
template <class Interpreter>
class Workers {
 public:
  explicit Workers(ProgramOptions options) {
    for (std::size_t count = 0; count < loop_count; ++count) {
      const auto sharing = count == 0 ? kernel::Sharing::first : kernel::Sharing::joins;
      all_.push_back(std::make_unique<Worker<Interpreter>>(options, sharing, stop_, family_));
      options.server.at = all_.back()->bound().value();
    }
    at_ = options.server.at;
  }

  [[nodiscard]] Endpoint at() const { return at_; }
  LoopFamily& family() { return family_; }
  Stop& stop() { return stop_; }

  /// Stops it, and answers how many clients each loop took.
  std::vector<int> accepted() {
    stop_.request();
    std::vector<int> counts;
    for (const auto& worker : all_) {
      const LoopReport report = worker->join();
      EXPECT_TRUE(report.result.has_value());
      EXPECT_EQ(report.failed, 0);
      EXPECT_EQ(report.cut_off, 0);
      counts.push_back(worker->accepted());
    }
    return counts;
  }

 private:
  Stop stop_;
  LoopFamily family_;
  std::vector<std::unique_ptr<Worker<Interpreter>>> all_;
  Endpoint at_;
};

ProgramOptions at_any_port(const Deadline& until, std::int64_t max_connections = unlimited) {
  return {.server = {.at = {"127.0.0.1", 0}, .max_connections = max_connections}, .session = {.until = until}};
}

/// Clients with one script, each in a thread of its own.
class Clients {
 public:
  Clients(std::uint32_t count, const Endpoint& at, const Script& script) : outcomes_(count), under_way_(count) {
    for (std::uint32_t client = 0; client < count; ++client) {
      threads_.emplace_back([this, client, at, script] {
        parity::RealClient one(client, host_of(0), at);
        one.perform(script);
        --under_way_;
        under_way_.notify_all();
        outcomes_[client] = one.await_the_end(never_over_);
      });
    }
  }

  /// Until all have done what they had to do; they may still hold their connections.
  void await_scripts() {
    for (auto left = under_way_.load(); left != 0; left = under_way_.load()) under_way_.wait(left);
  }

  const std::vector<parity::ClientOutcome>& outcomes() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    return outcomes_;
  }

 private:
  std::vector<parity::ClientOutcome> outcomes_;
  std::atomic<std::uint32_t> under_way_;
  const std::atomic<bool> never_over_ = false;
  std::vector<std::thread> threads_;
};

template <class Interpreter>
class LoopsThreads : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = Interpreter::why_not()) GTEST_SKIP() << *why;
  }
};

struct NamesOfLoops {
  template <class Interpreter>
  static std::string GetName(int) {  // NOLINT(readability-identifier-naming): GoogleTest looks for it
    return std::string(Interpreter::name);
  }
};

using Loops = testing::Types<Epoll, Uring>;
TYPED_TEST_SUITE(LoopsThreads, Loops, NamesOfLoops);

TYPED_TEST(LoopsThreads, AllServeAndNoClientIsLost) {
  constexpr std::uint32_t count = 60;
  constexpr std::uint32_t much = 20'000;
  Workers<TypeParam> workers(at_any_port({.wait_ms = 20'000, .drain_ms = 20'000}));
  Clients clients(count, workers.at(), {script::Connect{}, script::Send{much}, script::Await{much}, script::EndSide{}});
  for (std::uint32_t client = 0; const parity::ClientOutcome& one : clients.outcomes()) {
    EXPECT_EQ(one.received, payload(client++, 0, much));
    EXPECT_TRUE(one.met_end);
  }
  int all = 0;
  for (const int accepted : workers.accepted()) {
    EXPECT_GT(accepted, 0);
    all += accepted;
  }
  EXPECT_EQ(all, static_cast<int>(count));
  EXPECT_EQ(workers.family().living, 0);
}

TYPED_TEST(LoopsThreads, TheLimitHoldsOverAllOfThem) {
  constexpr std::uint32_t count = 24;
  constexpr std::int64_t limit = 5;
  Workers<TypeParam> workers(at_any_port(until_the_stop, limit));
  Clients clients(count, workers.at(), {script::Connect{}, script::Send{1}, script::Await{1}});
  clients.await_scripts();
  EXPECT_EQ(workers.family().living, limit);
  workers.stop().request();
  const auto served = [](const parity::ClientOutcome& one) { return one.received.size() == 1; };
  EXPECT_EQ(std::ranges::count_if(clients.outcomes(), served), limit);
  workers.accepted();
}

TYPED_TEST(LoopsThreads, WhoEndsMakesRoom) {
  const Script one_message{script::Connect{}, script::Send{1}, script::Await{1}, script::EndSide{}};
  Workers<TypeParam> workers(at_any_port(until_the_stop, 1));
  for (int turn = 0; turn < 20; ++turn) {
    while (workers.family().living != 0) std::this_thread::yield();
    EXPECT_EQ(Clients(1, workers.at(), one_message).outcomes()[0].received.size(), 1U) << turn;
  }
  workers.accepted();
}

TYPED_TEST(LoopsThreads, AStopFromAnotherThreadEndsAllWaits) {
  Workers<TypeParam> workers(at_any_port(until_the_stop));
  Clients clients(12, workers.at(), {script::Connect{}, script::Send{1}, script::Await{1}});
  clients.await_scripts();
  EXPECT_EQ(workers.family().living, 12);
  std::thread([&] { workers.stop().request(); }).join();
  for (const parity::ClientOutcome& one : clients.outcomes()) EXPECT_TRUE(one.met_end);
  workers.accepted();
}

TYPED_TEST(LoopsThreads, AStopThatCameBeforeIsSeen) {
  Stop stop;
  stop.request();
  LoopOptions options;
  options.stop = &stop;
  const LoopReport report = TypeParam::run(*program_named("stream", at_any_port(until_the_stop)), options);
  EXPECT_TRUE(report.result.has_value());
}

TYPED_TEST(LoopsThreads, NobodyIsFirstBesideOthers) {
  Workers<TypeParam> workers(at_any_port(until_the_stop));
  ProgramOptions options = at_any_port(until_the_stop);
  options.server.at = workers.at();
  for (const auto sharing : {kernel::Sharing::first, kernel::Sharing::alone}) {
    LoopOptions loop;
    loop.sharing = sharing;
    EXPECT_EQ(TypeParam::run(*program_named("stream", options), loop).result, failed(Errno::ADDRINUSE));
  }
  workers.accepted();
}

TYPED_TEST(LoopsThreads, WhenTheGraceIsOverTheRestIsCutOff) {
  constexpr Deadline for_ever{.wait_ms = forever_ms, .drain_ms = forever_ms};
  const Endpoint at = free_address();
  const Server server = then(OpenSocket{at}, [=] {
    return then(Listen{Socket{0}, 1}, [=] {
      return then(Connect{at, for_ever},
                  [=] { return fork_into(over, [=] { return all(Recv{Socket{1}, 1, for_ever}); }); });
    });
  });
  Stop stop;
  stop.request();
  LoopOptions options;
  options.stop = &stop;
  options.grace_ms = 20;
  const LoopReport report = TypeParam::run(server, options);
  EXPECT_TRUE(report.result.has_value());
  EXPECT_EQ(report.cut_off, 1);
}

}  // namespace
}  // namespace antiphon
