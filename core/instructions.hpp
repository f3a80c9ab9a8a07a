#pragma once

#include <cstdint>
#include <limits>
#include <source_location>
#include <string_view>
#include <tuple>
#include <variant>

#include "core/bytes.hpp"
#include "core/effects.hpp"
#include "core/endpoint.hpp"
#include "core/fields.hpp"
#include "core/result.hpp"
#include "core/unit.hpp"

/// The instructions of a network server and the effect sets that they make up. An instruction names one effect;
/// `Response` is what the world answers. Which errors an instruction can answer is in its man page of section 2.
///
/// A *waiting* instruction (Accept, Recv, Send, Sleep, Connect) holds its process until it can be answered.

namespace antiphon {

/// The line that an instruction was written on. It tells two places of a program apart for readers; it is no part
/// of the instruction's value.
struct Where {
  std::uint_least32_t line = 0;

  static constexpr Where here(std::source_location place = std::source_location::current()) { return {place.line()}; }
  constexpr bool operator==(const Where&) const { return true; }
};

/// A name in its process's own table of sockets: the lowest free number, as with POSIX descriptors.
struct Socket {
  int number = -1;

  static constexpr std::tuple fields{Field{"number", &Socket::number}};
  auto operator<=>(const Socket&) const = default;
};

/// A process's name among processes.
struct Pid {
  std::int64_t number = 0;

  static constexpr std::tuple fields{Field{"number", &Pid::number}};
  auto operator<=>(const Pid&) const = default;
};

inline constexpr std::int64_t forever_ms = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

/// How long a waiting instruction may wait. It answers EXPIRED once it has waited `wait_ms` or its process's alarm has
/// rung (Alarm), and STOPPING once `drain_ms` have passed since the server was asked to stop, even if it need not wait.
/// The default waits for ever and answers STOPPING at once.
struct Deadline {
  std::int64_t wait_ms = forever_ms;
  std::int64_t drain_ms = 0;

  static constexpr std::tuple fields{Field{"wait_ms", &Deadline::wait_ms}, Field{"drain_ms", &Deadline::drain_ms}};
  bool operator==(const Deadline&) const = default;
};

// -- Sockets ----------------------------------------------------------------------------------------------------

/// A stream socket bound to an address (socket(2), SO_REUSEADDR, bind(2)).
struct OpenSocket {
  Endpoint at;
  Where where = Where::here();

  using Response = Result<Socket>;
  static constexpr std::string_view name = "OpenSocket";
  static constexpr std::tuple fields{Field{"at", &OpenSocket::at}};
  bool operator==(const OpenSocket&) const = default;
};

/// Starts listening; answers the address that clients reach it at. `backlog` clients may wait to be accepted,
/// fewer if the kernel's own limit is lower (listen(2)).
struct Listen {
  Socket listener;
  int backlog;
  Where where = Where::here();

  using Response = Result<Endpoint>;
  static constexpr std::string_view name = "Listen";
  static constexpr std::tuple fields{Field{"listener", &Listen::listener}, Field{"backlog", &Listen::backlog}};
  bool operator==(const Listen&) const = default;
};

/// Waits for a client and answers its connection (accept(2)). Answers STOPPING once the server was asked to stop.
struct Accept {
  Socket listener;
  Where where = Where::here();

  using Response = Result<Socket>;
  static constexpr std::string_view name = "Accept";
  static constexpr std::tuple fields{Field{"listener", &Accept::listener}};
  bool operator==(const Accept&) const = default;
};

/// Connects to a server (socket(2), connect(2)).
struct Connect {
  Endpoint to;
  Deadline until;
  Where where = Where::here();

  using Response = Result<Socket>;
  static constexpr std::string_view name = "Connect";
  static constexpr std::tuple fields{Field{"to", &Connect::to}, Field{"until", &Connect::until}};
  bool operator==(const Connect&) const = default;
};

/// Waits for bytes and answers between 1 and `at_most` of them; none means that the peer ended its side (recv(2)).
struct Recv {
  Socket from;
  std::size_t at_most;
  Deadline until;
  Where where = Where::here();

  using Response = Result<Bytes>;
  static constexpr std::string_view name = "Recv";
  static constexpr std::tuple fields{Field{"from", &Recv::from}, Field{"at_most", &Recv::at_most},
                                     Field{"until", &Recv::until}};
  bool operator==(const Recv&) const = default;
};

/// Waits for room and sends; answers how many bytes went, between 1 and all; 0 if it has none (send(2)).
struct Send {
  Socket to;
  Bytes bytes;
  Deadline until;
  Where where = Where::here();

  using Response = Result<std::size_t>;
  static constexpr std::string_view name = "Send";
  static constexpr std::tuple fields{Field{"to", &Send::to}, Field{"bytes", &Send::bytes},
                                     Field{"until", &Send::until}};
  bool operator==(const Send&) const = default;
};

/// Ends our side of the connection; the peer reads what was sent and then the end (shutdown(2), SHUT_WR).
struct ShutdownSend {
  Socket socket;
  Where where = Where::here();

  using Response = Result<Unit>;
  static constexpr std::string_view name = "ShutdownSend";
  static constexpr std::tuple fields{Field{"socket", &ShutdownSend::socket}};
  bool operator==(const ShutdownSend&) const = default;
};

/// Gives the name back; the connection ends when its last holder has closed it (close(2)). The name is free
/// afterwards whatever the answer is. Closing with unread input resets the connection.
struct Close {
  Socket socket;
  Where where = Where::here();

  using Response = Result<Unit>;
  static constexpr std::string_view name = "Close";
  static constexpr std::tuple fields{Field{"socket", &Close::socket}};
  bool operator==(const Close&) const = default;
};

using Sockets = Effects<OpenSocket, Listen, Accept, Connect, Recv, Send, ShutdownSend, Close>;

// -- Processes --------------------------------------------------------------------------------------------------

/// What Fork answers to the process that issued it.
struct Parent {
  Pid child;

  static constexpr std::tuple fields{Field{"child", &Parent::child}};
  bool operator==(const Parent&) const = default;
};

/// What Fork answers to the new process.
struct Child {
  bool operator==(const Child&) const = default;
};

using Forked = std::variant<Parent, Child>;

/// Continues twice: as the process that it was, and as a new one that holds the same sockets (fork(2)). Answers
/// EAGAIN once the process has `at_most` children, or `at_most_alike` that were forked for clients at the address of
/// `client` (getpeername(2)). One that ended counts until it is discarded.
///
/// The address is the host's, whatever the port; of an IPv6 address the first 64 bits, and one that maps an IPv4
/// address is that one. Clients whose address can't be had, since they are gone, count as one address. Only children
/// count that were forked with `at_most_alike` limited.
struct Fork {
  std::int64_t at_most = unlimited;
  std::int64_t at_most_alike = unlimited;
  Socket client{};
  Where where = Where::here();

  /// No child is counted by address: traces and dumps leave those fields out.
  [[nodiscard]] constexpr bool tail_is_silent() const { return at_most_alike == unlimited && client == Socket{}; }

  using Response = Result<Forked>;
  static constexpr std::string_view name = "Fork";
  static constexpr std::tuple fields{Field{"at_most", &Fork::at_most}, Field{"at_most_alike", &Fork::at_most_alike},
                                     Field{"client", &Fork::client}};
  static constexpr std::size_t tail = 1;  ///< The fields from this one on may be left out.
  bool operator==(const Fork&) const = default;
};

/// From here on this process's children leave nothing behind when they end: no zombies (SIGCHLD).
struct DiscardChildren {
  Where where = Where::here();

  using Response = Result<Unit>;
  static constexpr std::string_view name = "DiscardChildren";
  static constexpr std::tuple<> fields{};
  bool operator==(const DiscardChildren&) const = default;
};

using Processes = Effects<Fork, DiscardChildren>;

// -- Clock ------------------------------------------------------------------------------------------------------

/// Waits. Answers STOPPING at once if the server was asked to stop.
struct Sleep {
  std::int64_t wait_ms;
  Where where = Where::here();

  using Response = Result<Unit>;
  static constexpr std::string_view name = "Sleep";
  static constexpr std::tuple fields{Field{"wait_ms", &Sleep::wait_ms}};
  bool operator==(const Sleep&) const = default;
};

/// Sets this process's alarm, in place of the one before: it rings once `wait_ms` have passed since, and from then on
/// an instruction with a Deadline answers EXPIRED where it would have to wait (alarm(2)). What need not wait is
/// answered as without. Accept and Sleep do not hear it. `forever_ms`: there is none, as for a new process, a child
/// too. It cannot fail.
struct Alarm {
  std::int64_t wait_ms;
  Where where = Where::here();

  using Response = Result<Unit>;
  static constexpr std::string_view name = "Alarm";
  static constexpr std::tuple fields{Field{"wait_ms", &Alarm::wait_ms}};
  bool operator==(const Alarm&) const = default;
};

using Clock = Effects<Sleep, Alarm>;

// -- All of them ------------------------------------------------------------------------------------------------

/// What a network server needs.
using Net =
    Effects<OpenSocket, Listen, Accept, Connect, Recv, Send, ShutdownSend, Close, Fork, DiscardChildren, Sleep, Alarm>;
static_assert(subset<Sockets, Net> && subset<Processes, Net> && subset<Clock, Net>);

}  // namespace antiphon
