#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/trace.hpp"
#include "verify/clients.hpp"
#include "verify/conversation.hpp"

/// What the clients of a run did and met, from the events of their own processes. Nothing else is known of a server
/// that is probed.

namespace antiphon::verify {

struct ClientView {
  bool begun = false;                ///< It asked for a connection and was answered.
  bool connected = false;            ///< It got one.
  std::optional<Errno> unconnected;  ///< Why not.
  Conversation conversation;         ///< `received` is what the client sent, `sent` what came back.
  std::string came_first;            ///< The first bytes that came back, at most `most_shown`.
  bool ended_side = false;
  bool met_end = false;          ///< The server ended its side.
  std::optional<Errno> failure;  ///< What ended the connection otherwise: mostly that the server reset it.
  bool stopped = false;          ///< The run was over before the client was.
  bool over = false;             ///< It has let go. With no end, no failure and no stop: it gave up.

  static constexpr std::size_t most_shown = 256;

  /// The server has ended the connection, in whatever way.
  [[nodiscard]] bool is_let_go() const { return met_end || failure; }
  [[nodiscard]] bool gave_up() const { return over && connected && !is_let_go() && !stopped; }
};

/// The client holds its connection for as long as the run goes on, and is owed nothing.
bool holds(const Visit& visit, std::size_t client, const ClientView& view);

/// Follows the clients of a run, event by event. Its memory is what is owed.
class ClientWatch {
 public:
  /// `first`: the process that forks the clients.
  explicit ClientWatch(const Visit& visit, ProcessId first = 0);

  void see(const ProcessEvent& event);
  /// Nothing more is expected of any client: it is over, or it holds its connection and is owed nothing.
  [[nodiscard]] bool all_settled() const { return settled_ == views_.size(); }
  [[nodiscard]] std::vector<ClientView> take() { return std::move(views_); }

 private:
  const Visit* visit_;
  ProcessId first_;
  std::map<ProcessId, std::size_t> clients_;  ///< By their processes.
  std::vector<ClientView> views_;
  std::vector<bool> is_settled_;
  std::size_t settled_ = 0;
};

/// A run of clients.
struct ClientsRun {
  std::vector<ClientView> views;
  bool had_its_time = true;  ///< Who was stopped had the time that the visit grants.
};

}  // namespace antiphon::verify
