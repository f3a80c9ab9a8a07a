#include "verify/score.hpp"

#include <algorithm>
#include <concepts>
#include <optional>
#include <set>
#include <utility>

#include "verify/contract.hpp"

namespace antiphon::verify {

namespace {

/// An error that the simulation answered, and what it takes that the kernel's run has it too. None: the kernel answers
/// it by itself.
template <Instruction I>
void direct(Cue& cue, const I& instruction, Errno error, bool is_fault, const Scenario& scenario) {
  // How many sockets and processes there may be, and how much a buffer holds, are the scenario's.
  bool is_limit = error == Errno::MFILE || (std::same_as<I, Send> && error == Errno::EXPIRED);
  if constexpr (std::same_as<I, Fork>) {
    is_limit = error == Errno::AGAIN && std::int64_t{scenario.max_processes} <= instruction.at_most;
  }
  if (is_fault || is_limit) {
    cue.answer = error;
    const bool passes = error == Errno::INTR || passes_by_itself(error);
    cue.disconnects = is_fault && !passes && connection_of(instruction).has_value();
  }
  cue.expires = error == Errno::EXPIRED;
  cue.stops = error == Errno::STOPPING;
}

Cue cue_of(const Issued& issued, bool is_fault, const Scenario& scenario) {
  return std::visit(
      [&]<class I>(const Exchange<I>& exchange) {
        Cue cue;
        if (!exchange.response) return cue;
        if (!*exchange.response) {
          direct(cue, exchange.instruction, exchange.response->error(), is_fault, scenario);
          return cue;
        }
        if constexpr (std::same_as<I, Recv>) cue.most = std::max<std::size_t>((*exchange.response)->size(), 1);
        if constexpr (std::same_as<I, Send>) cue.most = **exchange.response;
        if constexpr (std::same_as<I, Listen>) cue.most = scenario.max_backlog;
        cue.expires = std::same_as<I, Sleep>;
        cue.child = issued.child.value_or(0);
        return cue;
      },
      issued.exchange);
}

/// What has arrived at the server and has not been delivered in the performance.
struct Held {
  std::string bytes;
  bool ends = false;
};

class Scribe {
 public:
  explicit Scribe(const Scenario& scenario) : scenario_(scenario), held_(scenario.clients.size()) {}

  Score score(const Server& server) {
    const Spectator spectator{
        .before = [this](const World& world, const Move& move) { look_before(world, move); },
        .after = [this](const World& world, const Move& move) { look_after(world, move); },
        .event = [this](const Event& event) { add(event); },
    };
    for (std::uint32_t client = 0; client < scenario_.clients.size(); ++client) {
      score_.hosts.push_back(scenario_.addresses > 1 ? host_of(address_of(scenario_, client)) : "");
    }
    score_.run = simulate(server, scenario_, 200'000, spectator);
    return std::move(score_);
  }

 private:
  static bool is_delivery(const Move& move) { return move.kind == Move::Kind::arrival && move.end == world::acceptee; }

  void look_before(const World& world, const Move& move) {
    world_ = &world;
    if (is_delivery(move)) before_ = world.connections()[move.index];
    const bool answers = move.kind == Move::Kind::process || move.kind == Move::Kind::overdue;
    if (!answers) return;
    const world::Inhabitant& one = world.processes()[move.index];
    is_fault_ = one.fault.has_value();
    one.process->pending([&]<class I>(const I& instruction) {
      if constexpr (OnSocket<I>) {
        const world::Target* const target = World::target(one, socket_of(instruction));
        if (target != nullptr && !target->listener) about_ = *target;
      }
    });
  }

  /// The client behind a connection that a process of the server holds.
  [[nodiscard]] std::optional<Index> client_of(const std::optional<world::Target>& target) const {
    const bool is_ours = target && !target->listener && target->end == world::acceptee;
    const auto* const connection = is_ours ? world_->connections().find(target->index) : nullptr;
    if (connection == nullptr || connection->ends[world::opener].client == no_index) return std::nullopt;
    return connection->ends[world::opener].client;
  }

  void look_after(const World& world, const Move& move) {
    is_fault_ = false;
    about_.reset();
    if (!is_delivery(move)) return;
    const Index client = before_.ends[world::opener].client;
    if (client == no_index) return;
    const std::string& flying = before_.pipes[world::opener].flying;
    if (before_.ends[world::acceptee].reset_flying) {
      deliver_all(client);
      score_.steps.push_back({Delivery{client, Delivery::Kind::reset, ""}, {}});
    } else if (flying.empty()) {
      held_[client].ends = true;
    } else {
      const world::Connection* const now = world.connections().find(move.index);
      const std::size_t left = now == nullptr ? 0 : now->pipes[world::opener].flying.size();
      held_[client].bytes += flying.substr(0, flying.size() - left);
    }
    if (before_.ends[world::acceptee].closed) deliver_all(client);
  }

  void deliver_bytes(Index client, std::size_t count) {
    std::string& bytes = held_[client].bytes;
    if (bytes.empty() || count == 0) return;
    score_.steps.push_back({Delivery{client, Delivery::Kind::bytes, bytes.substr(0, count)}, {}});
    bytes.erase(0, count);
  }

  void deliver_all(Index client) {
    deliver_bytes(client, held_[client].bytes.size());
    if (std::exchange(held_[client].ends, false)) {
      score_.steps.push_back({Delivery{client, Delivery::Kind::end, ""}, {}});
    }
  }

  /// What is not read matters once nobody is left to read it.
  void deliver_before_closing(const std::optional<world::Target>& target) {
    const auto client = client_of(target);
    if (client && world_->connections()[target->index].ends[world::acceptee].closed) deliver_all(*client);
  }

  void deliver_for(const Issued& issued) {
    std::visit(
        [&]<class I>(const Exchange<I>& exchange) {
          if constexpr (std::same_as<I, Close>) deliver_before_closing(about_);
          const auto client = client_of(about_);
          if (!client) return;
          if constexpr (std::same_as<I, ShutdownSend>) {
            if (held_[*client].ends) deliver_all(*client);
          }
          if constexpr (std::same_as<I, Recv>) {
            if (!exchange.response || !*exchange.response) return;
            const std::size_t count = (*exchange.response)->size();
            if (count > 0) return deliver_bytes(*client, count);
            deliver_all(*client);
          }
        },
        issued.exchange);
  }

  /// A connection that a fault has reset cannot be used on the kernel: there is nothing behind it any more.
  void give_if_broken(const Issued& issued, Cue& cue) {
    if (!about_) return;
    if (cue.disconnects) broken_.insert(about_->index);
    if (!broken_.contains(about_->index)) return;
    std::visit(
        [&]<class I>(const Exchange<I>& exchange) {
          if (!exchange.response || std::same_as<I, Close>) return;
          if (!*exchange.response) cue.answer = exchange.response->error();
          if constexpr (std::same_as<I, Recv>) {
            if (*exchange.response) cue.receives = **exchange.response;
          }
        },
        issued.exchange);
  }

  /// It may be the last that holds them.
  void deliver_before_the_end(ProcessId process) {
    if (world_ == nullptr) return;
    for (const world::Target& target : world_->processes()[process].table) {
      if (const auto client = client_of(target)) deliver_all(*client);
    }
  }

  void add(const Event& event) {
    Step step{event, {}};
    if (const auto* const of_process = std::get_if<ProcessEvent>(&event)) {
      const auto* const issued = std::get_if<Issued>(&of_process->what);
      if (issued == nullptr) {
        deliver_before_the_end(of_process->process);
      } else {
        deliver_for(*issued);
        step.cue = cue_of(*issued, is_fault_, scenario_);
        give_if_broken(*issued, step.cue);
        if (step.cue.answer || step.cue.receives) ++score_.given;
        if (step.cue.stops && born_after_stop_.erase(of_process->process) > 0) {
          score_.steps.push_back({Reminder{of_process->process}, {}});
        }
        // What the first one knows all know.
        if (step.cue.stops && of_process->process == 0) born_after_stop_.clear();
        if (has_stopped_ && is_birth(*of_process)) born_after_stop_.insert(of_process->process);
      }
      score_.places[of_process->process].push_back(score_.steps.size());
    }
    has_stopped_ |= std::holds_alternative<StopEvent>(event);
    score_.steps.push_back(std::move(step));
    const auto* const ended = std::get_if<ProcessEvent>(&event);
    if (ended != nullptr && std::holds_alternative<Ended>(ended->what)) {
      score_.steps.push_back({Departure{ended->process}, {}});
    }
  }

  const Scenario& scenario_;
  Score score_;
  std::vector<Held> held_;  ///< By client.
  bool is_fault_ = false;
  bool has_stopped_ = false;
  std::set<ProcessId> born_after_stop_;
  const World* world_ = nullptr;
  std::set<Index> broken_;              ///< Connections.
  std::optional<world::Target> about_;  ///< The connection of the instruction that is answered.
  world::Connection before_;
};

}  // namespace

std::optional<std::size_t> Score::step(ProcessId process, std::uint64_t number) const {
  const auto found = places.find(process);
  if (found == places.end() || number >= found->second.size()) return std::nullopt;
  return found->second[number];
}

Score score_of(const Server& server, const Scenario& scenario) { return Scribe(scenario).score(server); }

}  // namespace antiphon::verify
