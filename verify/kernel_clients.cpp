#include "verify/kernel_clients.hpp"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "interpreters/epoll.hpp"
#include "interpreters/recording.hpp"
#include "interpreters/stop.hpp"

namespace antiphon::verify {

namespace {

/// Clients that hold their connection are let that long after all others are over: an end that should not come shows.
constexpr std::chrono::milliseconds aftermath{30};

/// One run: the event loop in its thread, and who stops it.
class KernelRun final : TraceSink {
 public:
  KernelRun(const Endpoint& at, const Visit& visit) : at_(at), visit_(visit), watch_(visit) {}

  ClientsRun run(std::int64_t at_most_ms) {
    std::thread loop([this] { run_loop(); });
    bool all_settled = false;
    {
      std::unique_lock lock(mutex_);
      news_.wait_for(lock, std::chrono::milliseconds(at_most_ms), [&] { return all_settled_ || is_over_; });
      all_settled = all_settled_;
      if (all_settled) news_.wait_for(lock, aftermath, [&] { return is_over_; });
    }
    stop_.request();
    loop.join();
    if (failure_) std::rethrow_exception(failure_);
    return {watch_.take(), all_settled || at_most_ms >= visit_.limit_ms};
  }

 private:
  void run_loop() {
    try {
      LoopOptions options;
      options.stop = &stop_;
      options.trace = this;
      options.spin_us = 0;
      run_on_epoll(clients_program(at_, visit_), options);
    } catch (...) {
      failure_ = std::current_exception();
    }
    tell(is_over_);
  }

  void tell(bool& what) {
    {
      const std::lock_guard lock(mutex_);
      what = true;
    }
    news_.notify_one();
  }

  ProcessId next_process() override { return 0; }
  void give_back(ProcessId) override {}
  void flush() override {}
  void write(const ProcessEvent& event) override {
    watch_.see(event);
    if (!all_settled_ && watch_.all_settled()) tell(all_settled_);
  }

  const Endpoint& at_;
  const Visit& visit_;
  ClientWatch watch_;           ///< The loop's, until its thread has ended.
  std::exception_ptr failure_;  ///< So is this.
  Stop stop_;
  std::mutex mutex_;  ///< Of what follows. The loop alone changes that, and so reads it without.
  std::condition_variable news_;
  bool all_settled_ = false;
  bool is_over_ = false;
};

}  // namespace

RunClients kernel_clients(const Endpoint& at) {
  return [at](const Visit& visit, std::int64_t at_most_ms) { return KernelRun(at, visit).run(at_most_ms); };
}

}  // namespace antiphon::verify
