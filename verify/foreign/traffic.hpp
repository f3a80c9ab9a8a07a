#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verify/foreign/data_calls.hpp"
#include "verify/foreign/findings.hpp"
#include "verify/foreign/open_files.hpp"
#include "verify/foreign/recent.hpp"

namespace antiphon::verify::foreign {

/// Where the log is.
struct Moment {
  std::size_t line = 0;  ///< 0: its end.
  std::int64_t pid = 0;
  std::size_t begun = 0;  ///< The line in which the call began.
  std::string who;        ///< "pid 4242"
  std::string_view call;  ///< "" if it is none.
  std::optional<std::int64_t> descriptor;

  /// "line 12, pid 4242, write(7)"
  [[nodiscard]] std::string text() const;
};

/// What goes in and out on the connections of clients, and what is wrong with it.
class Traffic {
 public:
  explicit Traffic(Findings& findings) : findings_(&findings) {}

  std::shared_ptr<Client> accept(const Moment& moment, const std::shared_ptr<Table>& by);

  void receive(const Moment& moment, Client& client, const Moved& moved);
  void end_read(const Moment& moment, Client& client);
  void send(const Moment& moment, Client& client, const Moved& moved);
  /// So many bytes of the client go somewhere, and the log does not show them.
  Segment receive_unseen(const Moment& moment, const std::shared_ptr<Client>& client, std::uint64_t count);
  void send_unseen(const Moment& moment, Client& client, const std::vector<Segment>& segments);
  /// The connection is reset, or the network failed.
  void fail(const Moment& moment, Client& client);
  void end_side(const Moment& moment, Client& client);

  /// Nobody holds the connection any more. `stopped`: its process is being ended by a signal.
  void let_go(const Moment& moment, Client& client, bool stopped);
  /// Whoever has this table ends, or the log does, and it still holds the connection.
  void held(const Moment& moment, const Client& client, const Table& by);
  /// The log ends while the connection is open.
  void left_open(const Moment& moment, Client& client);

 private:
  void compare(const Moment& moment, Client& client, bool had_mismatch);
  void tell_mismatch(Client& client);
  void settle(const Moment& moment, Client& client);
  void order(const Moment& moment, Client& client, Mover& last, std::string_view direction);
  void forget(Client& client);

  Findings* findings_;
  std::uint64_t number_ = 0;
  Recent recent_;
};

}  // namespace antiphon::verify::foreign
