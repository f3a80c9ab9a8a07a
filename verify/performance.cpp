#include "verify/performance.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>
#include <variant>

#include "interpreters/free_address.hpp"
#include "interpreters/kernel.hpp"
#include "verify/contract.hpp"
#include "verify/peer.hpp"
#include "verify/performer.hpp"
#include "verify/recorded_run.hpp"
#include "verify/score.hpp"
#include "verify/table.hpp"

namespace antiphon::verify {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// How long a step may take. Nothing is expected to come near it.
constexpr milliseconds patience{2'000};
/// So long nothing may happen once the score is at its end.
constexpr milliseconds rest{20};
/// A request for a connection that is dropped: so long nothing comes of it.
constexpr int dropped_ms = 20;
/// For the server to notice that it was asked to stop; and between two looks.
constexpr milliseconds moment{5};
/// After a parting, once so long nothing has come, nothing more is waited for.
constexpr milliseconds aftermath{300};

/// An error that tells nothing of the server ends it all.
void must_not_lack(std::optional<Errno> error) {
  for (const Errno local :
       {Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS, Errno::NETUNREACH, Errno::ADDRNOTAVAIL}) {
    if (error == local) throw std::runtime_error("this machine lacks something: " + name_of(local));
  }
}

std::string name_of_client(Index client) { return "client " + std::to_string(client + 1); }

/// Where a server can be reached that listens at an address of this host.
Endpoint reachable(Endpoint at) {
  if (at.host == "0.0.0.0") at.host = "127.0.0.1";
  if (at.host == "::") at.host = "::1";
  return at;
}

/// Where the clients come to: what the first Listen answered.
Endpoint address_in(const Score& score) {
  for (const Event& event : score.run.trace) {
    const auto* const of_process = std::get_if<ProcessEvent>(&event);
    const auto* const listen = of_process == nullptr ? nullptr : exchange_of<Listen>(*of_process);
    if (listen != nullptr && listen->response && *listen->response) return reachable(**listen->response);
  }
  return {};
}

class Conducting {
 public:
  Conducting(const Server& server, const Score& score, Stage stage)
      : score_(score),
        at_(address_in(score)),
        stage_(stage),
        peers_(score.hosts.size()),
        company_(server, score, progress_, stage) {}

  Performance performance() {
    await_server([&] { return progress_.has_begun(); },
                 [] { return Difference{"the server", "begins", "nothing comes"}; });
    if (!progress_.has_begun()) throw std::runtime_error("the server's process did not come to its first instruction");
    while (!progress_.has_parted() && progress_.due() < score_.steps.size()) take(progress_.due());
    if (!progress_.has_parted()) await_rest();
    const std::uint64_t steps = progress_.due();
    put_back_messages(steps);
    if (progress_.has_parted()) {
      watch_the_aftermath();
      if (progress_.parting() == Progress::Parting::here) difference_ = difference_of_server();
    } else {
      run_.at_rest = score_.run.at_rest;
    }
    const bool is_cut = progress_.parting() == Progress::Parting::cut_short;
    return {std::move(run_), steps, score_.given, std::move(difference_), is_cut, 1, {}};
  }

 private:
  void take(std::uint64_t index) {
    collect();  // whatever came before this step has been told
    const auto& what = score_.steps[index].what;
    if (const auto* const delivery = std::get_if<Delivery>(&what)) {
      deliver(*delivery);
      return progress_.done(index);
    }
    if (const auto* const reminder = std::get_if<Reminder>(&what)) {
      remind(reminder->process);
      return progress_.done(index);
    }
    if (const auto* const departure = std::get_if<Departure>(&what)) {
      if (const auto pid = pid_of(departure->process)) Company::await_end(*pid);
      return progress_.done(index);
    }
    std::visit([&](const auto& event) { take(index, event); }, std::get<Event>(what));
  }

  void take(std::uint64_t index, const ProcessEvent& event) {
    const auto* const issued = std::get_if<Issued>(&event.what);
    const bool waits =
        issued != nullptr && std::visit([](const auto& exchange) { return !exchange.response; }, issued->exchange);
    if (!waits) {
      return await_server([&] { return progress_.due() != index; },
                          [&] { return Difference{place_of(event), cell_of(event), "nothing comes"}; });
    }
    run_.trace.emplace_back(event);
    progress_.done(index);
  }

  template <class Done, class Otherwise>
  void await_server(Done done, Otherwise otherwise) {
    const Clock::time_point end = Clock::now() + patience;
    for (Backoff backoff; !done() && !progress_.has_parted(); backoff.wait()) {
      collect();
      if (Clock::now() > end) part(otherwise());
    }
    collect();
  }

  void take(std::uint64_t index, const ClientEvent& event) {
    const std::optional<std::string> instead = what_differs(event);
    if (instead) return part({name_of_client(event.client - 1), cell_of(event), *instead});
    run_.trace.emplace_back(event);
    progress_.done(index);
  }

  void take(std::uint64_t index, const StopEvent& event) {
    stop();
    run_.trace.emplace_back(event);
    progress_.done(index);
  }

  void stop() const {
    company_.stop();
    std::this_thread::sleep_for(moment);
  }

  void remind(ProcessId process) const {
    const auto pid = pid_of(process);
    if (!pid) return;
    Company::stop_one(*pid);
    std::this_thread::sleep_for(moment);
  }

  /// None for the first, and where they are not the operating system's.
  [[nodiscard]] std::optional<Pid> pid_of(ProcessId process) const {
    if (stage_ != Stage::fork) return std::nullopt;
    for (const Event& event : run_.trace) {
      const auto* const one = std::get_if<ProcessEvent>(&event);
      const auto* const fork = one == nullptr ? nullptr : exchange_of<Fork>(*one);
      if (fork == nullptr || std::get<Issued>(one->what).child != process) continue;
      return std::get<Parent>(fork->response->value()).child;
    }
    return std::nullopt;
  }

  void part(Difference difference) {
    difference_ = std::move(difference);
    progress_.part(Progress::Parting::elsewhere);
  }

  void deliver(const Delivery& delivery) {
    Peer& peer = peers_.at(delivery.client);
    switch (delivery.kind) {
      case Delivery::Kind::bytes:
        return peer.send(delivery.bytes);
      case Delivery::Kind::end:
        return peer.end_side();
      case Delivery::Kind::reset:
        return peer.reset();
    }
  }

  /// What the client meets instead.
  std::optional<std::string> what_differs(const ClientEvent& event) {
    using enum ClientEvent::Kind;
    Peer& peer = peers_.at(event.client - 1);
    switch (event.kind) {
      case turned_away:
        return let_in_all_the_same();
      case connected:
        if (const auto outcome = peer.connect(at_, score_.hosts.at(event.client - 1)); !outcome) {
          must_not_lack(outcome.error());
          return name_of(outcome.error());
        }
        return std::nullopt;
      case refused:
        return not_refused();
      case received: {
        const std::string bytes = peer.receive(event.bytes.size());
        if (bytes == event.bytes.content()) return std::nullopt;
        return "received " + in_quotes(bytes) + ", then " + peer.met();
      }
      case received_end:
        return peer.meets_end() ? std::nullopt : std::optional(peer.met());
      case met_reset:
        return peer.meets_reset() ? std::nullopt : std::optional(peer.met());
      default:
        return std::nullopt;  // what it does shows when it reaches the server
    }
  }

  std::optional<std::string> let_in_all_the_same() const {
    // (What io_uring has accepted ahead cannot be told from what waits.)
    if (stage_ == Stage::uring) return std::nullopt;
    Peer another;
    another.patience_ms = dropped_ms;
    const auto outcome = another.connect(at_);
    if (!outcome && outcome.error() == Errno::EXPIRED) return std::nullopt;
    return outcome ? "connected" : name_of(outcome.error());
  }

  /// (io_uring lets go of a listener a moment after it was closed.)
  std::optional<std::string> not_refused() const {
    std::optional<std::string> first;
    for (const Clock::time_point end = Clock::now() + aftermath; Clock::now() < end;) {
      const auto outcome = Peer().connect(at_);
      if (!outcome && outcome.error() == Errno::CONNREFUSED) return std::nullopt;
      if (!first) first = outcome ? "connected" : name_of(outcome.error());
      std::this_thread::sleep_for(moment);
    }
    return first;
  }

  /// Takes the events that are there. Whether there were any.
  bool collect() {
    bool some = false;
    while (auto event = company_.next_event()) {
      run_.trace.emplace_back(*std::move(event));
      some = true;
    }
    return some;
  }

  /// Where the score is at rest, the server goes no further and no client meets anything more.
  void await_rest() {
    if (!score_.run.at_rest) return;
    std::this_thread::sleep_for(rest);
    collect();
    for (Index client = 0; client < peers_.size() && !progress_.has_parted(); ++client) {
      if (!still_looks(client) || peers_[client].has_nothing_more()) continue;
      part({name_of_client(client), "nothing more", peers_[client].met()});
    }
  }

  /// Whether the simulated client would notice if something more came.
  [[nodiscard]] bool still_looks(Index client) const {
    using enum ClientEvent::Kind;
    return std::ranges::none_of(score_.run.trace, [&](const Event& event) {
      const auto* const one = std::get_if<ClientEvent>(&event);
      if (one == nullptr || one->client != client + 1) return false;
      return one->kind == stopped_reading || one->kind == reset || one->kind == met_reset || one->kind == closed;
    });
  }

  /// Long messages come as digests. In the steps that went as in the simulation they are what they are there.
  void put_back_messages(std::uint64_t steps) {
    for (Event& event : run_.trace) {
      auto* const one = std::get_if<ProcessEvent>(&event);
      if (one == nullptr || exchange_of<Fork>(*one) != nullptr) continue;
      const auto step = score_.step(one->process, one->number);
      if (step && *step < steps) *one = score_.event(*step);
    }
  }

  /// The two have parted: what is left to be done is done, and the server goes on as it can. Of clients nothing is
  /// recorded any more.
  void watch_the_aftermath() {
    for (Peer& peer : peers_) peer.patience_ms = dropped_ms;
    const Clock::time_point end = Clock::now() + patience;
    for (std::uint64_t index = progress_.due(); index < score_.steps.size() && Clock::now() < end; ++index) {
      go_on_by(score_.steps[index]);
    }
    for (Clock::time_point quiet = Clock::now() + aftermath; Clock::now() < std::min(quiet, end);) {
      if (collect()) quiet = Clock::now() + aftermath;
      std::this_thread::sleep_for(moment);
    }
    std::erase_if(run_.trace, [](const Event& event) { return !std::holds_alternative<ProcessEvent>(event); });
  }

  void go_on_by(const Step& step) {
    collect();
    if (const auto* const delivery = std::get_if<Delivery>(&step.what)) return deliver(*delivery);
    if (!std::holds_alternative<Event>(step.what)) return;
    const auto& event = std::get<Event>(step.what);
    if (const auto* const of_client = std::get_if<ClientEvent>(&event)) static_cast<void>(what_differs(*of_client));
    if (std::holds_alternative<StopEvent>(event)) company_.stop();
  }

  /// The event that came where another step was due.
  [[nodiscard]] std::optional<Difference> difference_of_server() const {
    for (const Event& event : run_.trace) {
      const auto& performed = std::get<ProcessEvent>(event);
      const auto step = score_.step(performed.process, performed.number);
      if (step && *step != progress_.due()) continue;
      if (const auto* const issued = std::get_if<Issued>(&performed.what)) must_not_lack(error_of(issued->exchange));
      return Difference{place_of(performed), step ? cell_of(score_.event(*step)) : "nothing more", cell_of(performed)};
    }
    return std::nullopt;
  }

  const Score& score_;
  Endpoint at_;
  Stage stage_;
  Progress progress_;
  std::vector<Peer> peers_;
  Company company_;
  Run run_;
  std::optional<Difference> difference_;
};

/// A program may have an address of its own.
void must_be_free(const Endpoint& at) {
  if (at.port == 0) return;
  // (Of a process that is gone io_uring may hold its listener a moment longer.)
  for (const Clock::time_point end = Clock::now() + patience; Clock::now() < end;) {
    const auto listens = try_to_listen(at);
    if (listens) return;
    if (listens.error() != Errno::ADDRINUSE) throw std::runtime_error(text_of(at) + ": " + name_of(listens.error()));
    std::this_thread::sleep_for(moment);
  }
  throw std::runtime_error("the program listens at " + text_of(at) + ", where somebody listens already");
}

}  // namespace

std::string place_of(const ProcessEvent& event) {
  return "event " + std::to_string(event.number) + " of process " + std::to_string(event.process);
}

Performance perform(const Server& server, const Score& score, Stage stage) {
  must_be_free(address_in(score));
  return Conducting(server, score, stage).performance();
}

Performance perform(const MakeServer& make, const Scenario& scenario, Stage stage) {
  constexpr std::uint64_t most_tries = 3;
  std::optional<Difference> before;
  for (std::uint64_t tries = 1;; ++tries) {
    const Server server = make(free_address());
    Performance performance = perform(server, score_of(server, scenario), stage);
    performance.tries = tries;
    const bool is_alike = !performance.difference && !performance.cut_short;
    if (is_alike || tries == most_tries) {
      // Who parted is not excused by being cut short the next time.
      if (performance.cut_short && before) performance.difference = before;
      performance.cut_short = performance.cut_short && !performance.difference;
      performance.once = is_alike ? std::move(before) : std::nullopt;
      return performance;
    }
    if (performance.difference) before = std::move(performance.difference);
  }
}

}  // namespace antiphon::verify
