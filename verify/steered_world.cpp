#include "verify/steered_world.hpp"

#include <algorithm>
#include <concepts>
#include <ranges>
#include <utility>

#include "verify/scope.hpp"

namespace antiphon::verify {

namespace {

constexpr std::uint32_t widest_backlog = 4096;
constexpr std::uint32_t no_limit = 1U << 20U;

/// Everything may happen in it that a trace can tell of.
Scenario wide_scenario(std::uint32_t most_clients, std::uint32_t capacity, std::uint32_t addresses) {
  Scenario scenario(0);
  scenario.clients.resize(most_clients);
  scenario.short_io = true;
  scenario.free_time = true;
  scenario.capacity = capacity;
  scenario.max_backlog = widest_backlog;
  scenario.max_sockets = no_limit;
  scenario.max_processes = no_limit;
  scenario.addresses = addresses;
  return scenario;
}

}  // namespace

SteeredWorld::SteeredWorld(const Server& server, std::uint32_t most_clients, std::uint32_t capacity,
                           std::uint32_t addresses)
    : scenario_(wide_scenario(most_clients, capacity, addresses)) {
  world_.emplace(server, scenario_, amounts_, [this](const Event& event) { note(event); });
}

std::uint32_t SteeredWorld::Amounts::shortfall(std::uint32_t count) {
  if (count <= 1) return 0;
  const std::size_t amount = std::clamp<std::size_t>(wanted_.value_or(count), 1, count);
  return said_.emplace_back(count - static_cast<std::uint32_t>(amount));
}

void SteeredWorld::note(const Event& event) {
  const auto* const of_process = std::get_if<ProcessEvent>(&event);
  if (of_process == nullptr) return;
  events_.push_back(*of_process);
  const auto* const issued = std::get_if<Issued>(&of_process->what);
  if (issued == nullptr) return;
  std::visit(
      [&]<class I>(const Exchange<I>& exchange) {
        if constexpr (std::same_as<typename I::Response, Result<Socket>>) {
          if (*exchange.response) highest_socket_ = std::max(highest_socket_, (*exchange.response)->number);
        }
      },
      issued->exchange);
}

std::vector<ProcessEvent> SteeredWorld::take_events() { return std::exchange(events_, {}); }

// -- Steps ------------------------------------------------------------------------------------------------------------

void SteeredWorld::make(const Move& move, std::optional<std::size_t> amount) {
  amounts_.begin(amount);
  world_->make(move);
  way_.push_back({move, amounts_.said()});
}

bool SteeredWorld::arrive(Side side, std::optional<std::size_t> amount) {
  if (!world_->can_arrive(side.connection, side.end)) return false;
  make({Move::Kind::arrival, side.connection, side.end}, amount);
  return true;
}

bool SteeredWorld::perform(Side side, const script::Action& action) {
  const Index client = at(side).ends[side.end].client;
  if (client == no_index || world_->clients()[client].done) return false;
  // What was begun goes on first; no script has more to do than that.
  if (!world_->clients()[client].in_action) {
    written_.push_back({client, scenario_.clients[client].size()});
    scenario_.clients[client].push_back(action);
  }
  if (!world_->can_act(client)) return false;
  make({Move::Kind::client, client, way_on});
  return true;
}

void SteeredWorld::exhaust(Side side) {
  while (world_->connections().contains(side.connection) && arrive(side)) {
  }
}

// -- Where it is led --------------------------------------------------------------------------------------------------

std::optional<SteeredWorld::Side> SteeredWorld::side_of(Index process, Socket socket) const {
  const world::Target* const target = World::target(world_->processes()[process], socket);
  if (target == nullptr || target->listener) return std::nullopt;
  return Side{target->index, target->end};
}

std::size_t SteeredWorld::held(Side side) const {
  const world::Pipe& out = at(side).pipes[side.end];
  return out.flying.size() + out.arrived.size();
}

void SteeredWorld::bring(Side side, std::size_t count) {
  const Side peer = side.other();
  for (;;) {
    const world::Pipe& in = at(side).pipes[peer.end];
    if (in.arrived.size() >= count) return;
    const std::size_t missing = count - in.arrived.size();
    if (!in.flying.empty()) {
      if (!arrive(side, std::min(missing, in.flying.size()))) return;
    } else if (at(peer).ends[peer.end].shut || !perform(peer, script::Send{static_cast<std::uint32_t>(missing)})) {
      return;
    }
  }
}

void SteeredWorld::bring_end(Side side) {
  const Side peer = side.other();
  if (!at(peer).ends[peer.end].shut && !perform(peer, script::EndSide{})) return;
  while (!at(side).pipes[peer.end].ended && arrive(side)) {
  }
}

void SteeredWorld::bring_reset(Side side) {
  const Side peer = side.other();
  if (at(side).ends[side.end].reset) return;
  if (perform(peer, script::Reset{})) {
    arrive(side);
    return;
  }
  // Between two processes a reset comes of what arrives where nobody reads any more.
  exhaust(side);
  exhaust(peer);
  exhaust(side);
}

void SteeredWorld::deliver_end(Side side) {
  while (!at(side).pipes[side.end].ended && arrive(side.other())) {
  }
}

void SteeredWorld::make_room(Side side, std::size_t count) {
  const Side peer = side.other();
  if (at(peer).ends[peer.end].client == no_index) return;
  const std::size_t wanted = held(side) + count;
  if (wanted <= capacity()) return;
  const std::size_t missing = std::min(wanted - capacity(), at(side).pipes[side.end].flying.size());
  if (missing > 0) arrive(peer, missing);
}

bool SteeredWorld::connect_client() {
  if (clients_ == scenario_.clients.size()) return false;
  const Index client = clients_;
  written_.push_back({client, scenario_.clients[client].size()});
  scenario_.clients[client].emplace_back(script::Connect{});
  if (!world_->can_act(client)) return false;
  ++clients_;
  make({Move::Kind::client, client, way_on});
  return true;
}

void SteeredWorld::limit_sockets(Index process) {
  const std::vector<world::Target>& table = world_->processes()[process].table;
  const auto free = std::ranges::find(table, no_index, &world::Target::index) - table.begin();
  if (highest_socket_ < free) scenario_.max_sockets = std::min(scenario_.max_sockets, static_cast<std::uint32_t>(free));
}

Scenario SteeredWorld::scope() const {
  Scenario scope = scenario_;
  scope.clients.resize(clients_);
  return scope;
}

// -- Going back -------------------------------------------------------------------------------------------------------

SteeredWorld::Mark::Mark(const SteeredWorld& from)
    : world_(*from.world_),
      steps_(from.way_.size()),
      clients_(from.clients_),
      max_sockets_(from.scenario_.max_sockets),
      highest_socket_(from.highest_socket_) {}

SteeredWorld::Mark SteeredWorld::mark() {
  written_.clear();
  events_.clear();
  return Mark(*this);
}

void SteeredWorld::back_to(Mark mark) {
  world_.emplace(std::move(mark.world_));
  way_.resize(mark.steps_);
  clients_ = mark.clients_;
  scenario_.max_sockets = mark.max_sockets_;
  highest_socket_ = mark.highest_socket_;
  for (const Written& one : written_ | std::views::reverse) {
    Script& script = scenario_.clients[one.client];
    script.erase(script.begin() + static_cast<std::ptrdiff_t>(one.before), script.end());
  }
  written_.clear();
  events_.clear();
}

}  // namespace antiphon::verify
