#include <algorithm>
#include <cstddef>
#include <utility>

#include "interpreters/world.hpp"

/// The world's scripted clients.

namespace antiphon {

using namespace world;

namespace {

constexpr std::int64_t last_retry_ms = 32'000;  ///< A client asks seven times, as Linux does (tcp_syn_retries).

}  // namespace

void World::tell(Index client, ClientEvent::Kind kind, Bytes bytes, ProcessId process, Socket socket) {
  record_(ClientEvent{client + 1, kind, std::move(bytes), process, socket});
}

/// Whether it matters to the client how much it has received.
bool World::awaits(Index client) const {
  return std::ranges::any_of(scenario_.clients[client],
                             [](const auto& action) { return std::holds_alternative<script::Await>(action); });
}

/// Whether the client can go on with its script, or let go once the server has ended its side.
bool World::can_act(Index index) const {
  const Client& client = clients_[index];
  const Script& script = scenario_.clients[index];
  if (client.done || now_ms() < client.wake_at_ms) return false;
  if (client.at == script.size()) return client.saw_end;
  if (client.connection == no_index && std::holds_alternative<script::Connect>(script[client.at])) {
    if (!counts_.contains(has_listened)) return false;  // clients come once somebody listens
    if (!scenario_.free_time || !client.asked) return true;
    // Who was turned away asks again when it is worth it.
    const auto listener = listening();
    return !listener || has_room(listeners_[*listener]);
  }
  if (const auto* send = std::get_if<script::Send>(&script[client.at]);
      send != nullptr && client.connection != no_index) {
    const bool over = (client.in_action ? client.left : send->count) == 0;
    return over || room(connections_[client.connection], opener) > 0;
  }
  if (const auto* any = std::get_if<script::SendAny>(&script[client.at]);
      any != nullptr && client.connection != no_index) {
    return can_send_any(client, any->count);
  }
  if (const auto* await = std::get_if<script::Await>(&script[client.at]);
      await != nullptr && client.connection != no_index) {
    return client.saw_end || client.received >= client.awaited + await->count;
  }
  return true;
}

/// There is room, and its bytes can be told apart from those that are unanswered.
bool World::can_send_any(const Client& client, std::uint32_t count) const {
  const Connection& connection = connections_[client.connection];
  if (connection.ends[opener].shut || room(connection, opener) == 0) return false;
  const bool apart = client.in_action || std::uint64_t{client.unanswered} + count < script::any_period;
  held_back_ |= !apart;
  return apart;
}

/// It stands before messages of which it may send any number.
bool World::can_pass(Index index) const {
  const Client& client = clients_[index];
  const Script& script = scenario_.clients[index];
  return !client.done && !client.in_action && client.at < script.size() && client.connection != no_index &&
         std::holds_alternative<script::SendAny>(script[client.at]);
}

void World::act(Index index, Index way) {
  const Script& script = scenario_.clients[index];
  const std::uint32_t at = clients_[index].at;
  if (way == way_resets) return act(index, script::Reset{});
  if (way == way_past) return next_action(clients_.edit(index));
  if (at == script.size()) return let_go(index);
  std::visit([&](const auto& action) { act(index, action); }, script[at]);
}

void World::let_go(Index index) {
  const Index connection = clients_[index].connection;
  end_script(index);
  if (connection == no_index || connections_[connection].ends[opener].closed) return;
  close_end(connections_.edit(connection), opener);
  tell(index, ClientEvent::Kind::closed);
  forget_if_over(connection);
}

void World::give_up(Index index) {
  end_script(index);
  tell(index, ClientEvent::Kind::closed);
}

void World::next_action(Client& client) {
  ++client.at;
  client.in_action = false;
}

void World::act(Index index, const script::Connect&) {
  Client& client = clients_.edit(index);
  if (client.connection != no_index) return next_action(client);
  if (!std::exchange(client.asked, true)) tell(index, ClientEvent::Kind::connecting);
  const auto listener = listening();
  if (!listener) {
    end_script(index);
    return tell(index, ClientEvent::Kind::refused);
  }
  if (!has_room(listeners_[*listener])) {
    tell(index, ClientEvent::Kind::turned_away);
    if (scenario_.free_time) return;
    if (client.retry_ms > last_retry_ms) return give_up(index);
    client.wake_at_ms = now_ms() + client.retry_ms;
    client.retry_ms *= 2;
    return;
  }
  client.connection = connect(*listener, index);
  tell(index, ClientEvent::Kind::connected);
  next_action(client);
}

void World::act(Index index, const script::Send& action) { send(index, action.count, false); }

/// A message, or as much of it as there is room for; after the last of it the next action is due.
void World::send(Index index, std::uint32_t count, bool cyclic) {
  Client& client = clients_.edit(index);
  if (client.connection == no_index) return next_action(client);
  if (!std::exchange(client.in_action, true)) client.left = count;
  Connection& connection = connections_.edit(client.connection);
  if (connection.ends[opener].shut || client.left == 0) return next_action(client);
  const std::size_t amount = std::min<std::size_t>(client.left, room(connection, opener));
  std::string bytes(amount, '\0');
  for (char& byte : bytes) {
    byte = cyclic ? cyclic_byte(index, client.sent) : payload_byte(index, client.sent);
    ++client.sent;
  }
  if (cyclic) {
    client.sent %= script::any_period;
    client.unanswered += static_cast<std::uint32_t>(amount);
  }
  connection.pipes[opener].flying += bytes;
  client.left -= static_cast<std::uint32_t>(amount);
  tell(index, ClientEvent::Kind::sent, Bytes::copy_of(bytes));
  if (client.left == 0) next_action(client);
}

void World::act(Index index, const script::Await& await) {
  Client& client = clients_.edit(index);
  client.awaited += await.count;
  next_action(client);
}

void World::act(Index index, const script::EndSide&) {
  Client& client = clients_.edit(index);
  if (client.connection != no_index && !connections_[client.connection].ends[opener].shut) {
    Connection& connection = connections_.edit(client.connection);
    connection.pipes[opener].end_flying = true;
    connection.ends[opener].shut = true;
    tell(index, ClientEvent::Kind::ended_side);
  }
  next_action(client);
}

void World::act(Index index, const script::Reset&) {
  const Index connection = clients_[index].connection;
  end_script(index);
  if (connection == no_index) return;
  connections_.edit(connection).ends[opener].closed = true;
  reset_peer(connections_.edit(connection), opener);
  tell(index, ClientEvent::Kind::reset);
  forget_if_over(connection);
}

void World::act(Index index, const script::Pause& pause) {
  Client& client = clients_.edit(index);
  if (!scenario_.free_time) client.wake_at_ms = now_ms() + pause.wait_ms;
  next_action(client);
}

void World::act(Index index, const script::SendAny& action) {
  const std::uint32_t at = clients_[index].at;
  send(index, action.count, true);
  Client& client = clients_.edit(index);
  if (client.at == at || client.connection == no_index || connections_[client.connection].ends[opener].shut) return;
  client.at = at;  // another one, or on: that is chosen then
}

void World::act(Index index, const script::StopReading&) {
  Client& client = clients_.edit(index);
  client.reading = false;
  tell(index, ClientEvent::Kind::stopped_reading);
  next_action(client);
}

}  // namespace antiphon
