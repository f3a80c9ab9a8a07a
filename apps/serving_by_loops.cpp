#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "apps/meter.hpp"
#include "apps/sandboxing.hpp"
#include "apps/serving.hpp"
#include "apps/told.hpp"
#include "core/programs/catalogue.hpp"
#include "interpreters/epoll.hpp"
#include "interpreters/uring.hpp"
#include "verify/monitor.hpp"

namespace antiphon {

namespace {

/// Lives in the worker's thread.
using ToldOfWorker = Told<verify::Monitor>;

/// The event loops of one server, each in a thread of its own with a program value of its own. Nothing is shared while
/// messages flow.
class Workers {
 public:
  Workers(const ServerArguments& arguments, ServerLog& log, TraceFile* trace, Life& life, MetricsProcess* metrics)
      : arguments_(arguments),
        log_(&log),
        trace_(trace),
        life_(&life),
        metrics_(metrics),
        sandbox_(arguments, log, life.sends_notices()),
        workers_(static_cast<std::size_t>(arguments.workers)) {}

  ExitCode serve() {
    const StopBySignal by_signal(stop_);
    life_->let_tell([this] { return states(); });
    if (workers_.size() == 1) {
      // A process of one thread makes its calls more cheaply.
      work(workers_.front(), arguments_.options.server, kernel::Sharing::alone);
    } else {
      serve_in_threads();
    }
    return conclude();
  }

 private:
  struct Worker {
    std::thread thread;
    std::optional<Endpoint> bound;  ///< Once it listens.
    bool is_closed = false;         ///< Its thread's sandbox.
    bool over = false;
    LoopCounts counts;
    Errand errand;
    LoopReport report;
    std::string exception;  ///< What ended it, if nothing else did.
    std::optional<verify::Verdict> verdict;
  };

  void serve_in_threads() {
    for (Worker& worker : workers_) worker.errand = life_->errand_of_worker();
    std::string failure;
    try {
      if (start_all()) begin(*workers_.front().bound);
    } catch (const std::exception& why) {
      failure = why.what();
      stop_.request();
    }
    tell([&] { may_accept_ = true; });
    see_to_errands();
    for (Worker& worker : workers_) {
      if (worker.thread.joinable()) worker.thread.join();
    }
    if (!failure.empty()) workers_.front().exception = failure;
  }

  /// All listen. Once the server is who it is to be, all its threads close their sandboxes, and only then clients are
  /// served: what one thread may do another one could make it do.
  void begin(const Endpoint& bound) {
    life_->settle();
    sandbox_.limit_process();
    if (workers_.size() == 1) {
      sandbox_.close_server();
    } else {
      tell([&] { is_settled_ = true; });
      if (!all_are_closed()) return;
      sandbox_.close_main_thread();
    }
    life_->ready(bound);
  }

  /// False: a worker could not close its sandbox, and is over.
  bool all_are_closed() {
    std::unique_lock lock(mutex_);
    news_.wait(lock, [&] {
      return std::ranges::all_of(workers_, [](const Worker& one) { return one.is_closed || one.over; });
    });
    return std::ranges::none_of(workers_, &Worker::over);
  }

  /// Until all workers are over.
  void see_to_errands() {
    const Errand errand = life_->errand();
    for (;;) {
      std::array<pollfd, 2> watched{pollfd{errand.descriptor, POLLIN, 0}, pollfd{changes_.number(), POLLIN, 0}};
      const int ready = ::poll(watched.data(), watched.size(), -1);
      if (ready > 0 && watched[0].revents != 0) errand.run();
      eventfd_t changes = 0;
      if (ready > 0 && watched[1].revents != 0) eventfd_read(changes_.number(), &changes);
      const std::lock_guard lock(mutex_);
      if (std::ranges::all_of(workers_, [](const Worker& one) { return one.over || !one.thread.joinable(); })) return;
    }
  }

  std::vector<WorkerState> states() {
    const std::lock_guard lock(mutex_);
    std::vector<WorkerState> all;
    for (const Worker& one : workers_) {
      const bool listens = one.bound && stop_.requested_at() == kernel::never;
      all.push_back({listens ? one.bound : std::nullopt, one.counts.living.load(), one.counts.accepted.load()});
    }
    return all;
  }

  /// The first worker finds the port, and the others join it there. False: one of them does not listen.
  bool start_all() {
    ServerOptions server = arguments_.options.server;
    for (Worker& worker : workers_) {
      const bool first = &worker == &workers_.front();
      try {
        worker.thread = std::thread([this, &worker, server, first] {
          work(worker, server, first ? kernel::Sharing::first : kernel::Sharing::joins);
        });
      } catch (const std::system_error& failure) {
        worker.exception = fmt::format("cannot start a worker: {}", std::strerror(failure.code().value()));
        stop_.request();
        return false;
      }
      std::unique_lock lock(mutex_);
      news_.wait(lock, [&] { return worker.bound || worker.over; });
      if (!worker.bound) {
        stop_.request();
        return false;
      }
      server.at.port = worker.bound->port;
    }
    return true;
  }

  void work(Worker& worker, const ServerOptions& server, kernel::Sharing sharing) {
    try {
      ProgramOptions options = arguments_.options;
      options.server = server;
      ToldOfWorker told;
      let_be_told(told, worker);
      std::optional<Meter> meter = meter_of(worker);
      LoopOptions how = loop_options(worker, told.sink(), sharing);
      if (meter) how.observer = &*meter;
      worker.report = run_one(*program_named(arguments_.program, options), how);
      // (Where there is no memory for a verdict there is none.)
      if (told.monitor) if_memory_allows([&] { worker.verdict = told.monitor->finish(); });
    } catch (const std::exception& failure) {
      worker.exception = failure.what();
    }
    // One that fails takes the others with it: half a server would hide the failure.
    if (!worker.exception.empty() || !worker.report.result) stop_.request();
    tell([&] { worker.over = true; });
  }

  [[nodiscard]] std::optional<Meter> meter_of(const Worker& worker) const {
    if (metrics_ == nullptr) return std::nullopt;
    return Meter(metrics_->board().slot(number_of(worker)), Meter::Writers::one,
                 [this] { note_dead_metrics(*log_, *metrics_); });
  }

  /// The monitor is the worker's own, as its trace writer is.
  void let_be_told(ToldOfWorker& told, const Worker& worker) const {
    if (trace_ != nullptr) {
      told.writer.emplace(*trace_, arguments_.trace_payload, number_of(worker),
                          static_cast<std::uint32_t>(arguments_.workers));
    }
    if (!arguments_.monitor) return;
    MetricsSlot* const slot = metrics_ == nullptr ? nullptr : &metrics_->board().slot(number_of(worker));
    const auto alarm = [this, &told, slot, who = name_of(worker),
                        how = arguments_.on_violation](const auto& violation) {
      tell_violation(*log_, violation, who);
      if (slot != nullptr) slot->note_violation(violation.clause.name);
      if (how == OnViolation::log) return;
      if (told.writer) told.writer->flush();
      std::_Exit(status_of(ExitCode::violated));
    };
    const auto when_blind = [this, slot, who = name_of(worker)] {
      if (slot != nullptr) slot->unjudged.store(true, std::memory_order_relaxed);
      tell_blind(*log_, who, "there is no memory to judge it");
    };
    told.monitor.emplace(expectations_of_one(arguments_), alarm, when_blind);
  }

  [[nodiscard]] LoopReport run_one(const Server& program, const LoopOptions& options) const {
    return arguments_.interpreter == "uring" ? run_on_uring(program, options) : run_on_epoll(program, options);
  }

  [[nodiscard]] std::uint32_t number_of(const Worker& worker) const {
    return static_cast<std::uint32_t>(&worker - workers_.data());
  }
  /// For those who read of several.
  [[nodiscard]] std::string name_of(const Worker& worker) const {
    return workers_.size() == 1 ? "" : fmt::format("worker {}: ", number_of(worker));
  }

  LoopOptions loop_options(Worker& worker, TraceSink* sink, kernel::Sharing sharing) {
    const auto when_listening = [this, &worker, sink](const Endpoint& bound) {
      // The others start once the first one listens: whatever they write comes after the header.
      if (trace_ != nullptr && &worker == &workers_.front()) trace_->start(header_of(arguments_, bound));
      if (sink != nullptr) sink->flush();
      tell([&] { worker.bound = bound; });
      if (workers_.size() == 1) return begin(bound);
      await([this] { return is_settled_ || may_accept_; });
      sandbox_.close_server();
      tell([&] { worker.is_closed = true; });
      await([this] { return may_accept_; });
    };
    const auto when_stopping = [this] {
      // (One that could not start was not asked.)
      if (log_->has_listened() && !told_of_stop_.exchange(true)) life_->stopping(family_.living);
    };
    LoopOptions options;
    options.stop = &stop_;
    options.trace = sink;
    options.watch = [watch = AcceptorWatch(*log_, when_listening, when_stopping)](const ProcessEvent& event) mutable {
      const auto* const issued = std::get_if<Issued>(&event.what);
      if (issued == nullptr) return;
      std::visit([&]<class I>(const Exchange<I>& exchange) { watch.saw<I>(*exchange.response); }, issued->exchange);
    };
    options.spin_us = arguments_.spin_us;
    options.family = &family_;
    options.counts = &worker.counts;
    options.adopted = life_->adopted();
    options.errand = workers_.size() == 1 ? life_->errand() : worker.errand;
    options.sharing = sharing;
    options.ring_operations = sandbox_.ring_operations();
    options.grace_ms = arguments_.options.session.until.drain_ms + grace_ms;
    return options;
  }

  template <class Condition>
  void await(Condition condition) {
    std::unique_lock lock(mutex_);
    news_.wait(lock, condition);
  }

  template <class Change>
  void tell(Change change) {
    {
      const std::lock_guard lock(mutex_);
      change();
    }
    news_.notify_all();
    eventfd_write(changes_.number(), 1);
  }

  ExitCode conclude() {
    const ExitCode code = how_it_ended();
    if (!arguments_.monitor || !log_->has_listened()) return code;
    ExitCode verdict = ExitCode::incomplete;
    if_memory_allows([&] { verdict = tell_verdict(); });
    return joined(code, verdict);
  }

  ExitCode tell_verdict() {
    MonitorReport report;
    for (const Worker& worker : workers_) {
      if (worker.verdict) {
        report.add(*worker.verdict, name_of(worker));
      } else {
        report.add_remark(name_of(worker) + "it did not come to its end");
      }
    }
    report.tell(*log_);
    return report.code();
  }

  ExitCode how_it_ended() {
    SessionsReport sessions{.at_once = stop_.at_once()};
    for (const Worker& worker : workers_) {
      if (!worker.exception.empty()) {
        log_->note(worker.exception);
        return log_->has_listened() ? ExitCode::violated : ExitCode::bad_input;
      }
      // Those that were stopped because another one failed have nothing to tell.
      const bool has_failed = !worker.report.result;
      if (has_failed) {
        if (const auto failure = failure_of(*log_, arguments_, worker.report.result)) return *failure;
      }
      sessions.failed += worker.report.failed;
      sessions.cut += worker.report.cut;
      sessions.left += worker.report.cut_off;
    }
    return farewell(*log_, sessions);
  }

  const ServerArguments& arguments_;
  ServerLog* log_;
  TraceFile* trace_;
  Life* life_;
  MetricsProcess* metrics_;
  Sandboxing sandbox_;
  Stop stop_;
  LoopFamily family_;
  std::atomic<bool> told_of_stop_ = false;
  std::mutex mutex_;  ///< Of `bound`, `is_closed`, `over`, `is_settled_` and `may_accept_`.
  bool is_settled_ = false;
  std::condition_variable news_;
  kernel::Descriptor changes_ = kernel::new_event();  ///< The same news.
  bool may_accept_ = false;                           ///< All workers listen, and the server is who it is to be.
  std::vector<Worker> workers_;
};

}  // namespace

ExitCode serve_by_loops(const ServerArguments& arguments, ServerLog& log, TraceFile* trace, Life& life,
                        MetricsProcess* metrics) {
  return Workers(arguments, log, trace, life, metrics).serve();
}

}  // namespace antiphon
