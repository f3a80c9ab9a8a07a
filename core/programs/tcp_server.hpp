#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/programs/server.hpp"

/// The generic TCP server: accepts clients and gives each a process of its own that runs a session. A session is a
/// function from the client's socket to a `Program<E, Unit>`, E a subset of Net; it closes the socket itself.

namespace antiphon {

struct ServerOptions {
  Endpoint at{"127.0.0.1", 8888};
  int backlog = 4096;
  std::int64_t max_connections = unlimited;  ///< Clients above it are refused: accepted and closed.
  std::int64_t max_per_address = unlimited;  ///< The same for clients at one address (see Fork).
};

namespace acceptor {

/// How long to rest after an Accept that failed for want of something: doubled each time, up to a second.
struct Rest {
  std::int64_t wait_ms = 0;

  static constexpr std::tuple fields{Field{"wait_ms", &Rest::wait_ms}};
  bool operator==(const Rest&) const = default;
};

inline constexpr std::int64_t first_rest_ms = 5;
inline constexpr std::int64_t longest_rest_ms = 1000;

/// Who came out of the loop: the acceptor, asked to stop, or a child whose session is over.
enum class Outcome : std::uint8_t { stopped, session_over };

using Turn = Step<Unit, Outcome>;
using Turns = Program<Net, Turn>;

inline Turns next_client() { return ret(Turn{Continue{Unit{}}}); }

/// The client is told at once that it is not served.
inline Turns refuse(Socket client) {
  return Close{client} >> [](const Result<Unit>&) { return next_client(); };
}

/// A process for the client, as far as the limits allow. Whose address it has matters only where there is a limit.
inline Fork fork_for(const ServerOptions& options, Socket client) {
  if (options.max_per_address == unlimited) return Fork{options.max_connections};
  return Fork{options.max_connections, options.max_per_address, client};
}

template <class Session>
Turns serve(const ServerOptions& options, Socket listener, Socket client, const Session& session) {
  return fork_for(options, client) >> [=](const Result<Forked>& forked) -> Turns {
    if (!forked) return refuse(client);
    if (std::holds_alternative<Parent>(*forked)) {
      return Close{client} >> [](const Result<Unit>&) { return next_client(); };
    }
    return ignore(Close{listener}) >> [=](const Unit&) {
      return session(client) >> [](const Unit&) { return ret(Turn{Break{Outcome::session_over}}); };
    };
  };
}

/// An error of Accept that concerns one client only, or none: the next Accept may follow at once.
inline bool concerns_one_client(Errno error) {
  switch (error) {
    case Errno::INTR:
    case Errno::CONNABORTED:
    case Errno::PROTO:
    case Errno::PERM:
    case Errno::NETDOWN:
    case Errno::NETUNREACH:
    case Errno::HOSTUNREACH:
    case Errno::HOSTDOWN:
    case Errno::NONET:
    case Errno::NOPROTOOPT:
    case Errno::TIMEDOUT:
      return true;
    default:
      return false;
  }
}

/// The next client, with the failures that pass behind it; or STOPPING.
inline Program<Net, Result<Socket>> next_accepted(Socket listener) {
  using Tries = Step<Rest, Result<Socket>>;
  return iter(Rest{}, [=](const Rest& rest) {
    return Accept{listener} >> [=](const Result<Socket>& client) -> Program<Net, Tries> {
      if (client || client.error() == Errno::STOPPING) return ret(Tries{Break{client}});
      if (concerns_one_client(client.error())) return ret(Tries{Continue{Rest{}}});
      const std::int64_t wait_ms = std::clamp(2 * rest.wait_ms, first_rest_ms, longest_rest_ms);
      return Sleep{wait_ms} >> [=](const Result<Unit>&) { return ret(Tries{Continue{Rest{wait_ms}}}); };
    };
  });
}

template <class Session>
Program<Net, Outcome> accept_clients(const ServerOptions& options, Socket listener, const Session& session) {
  return iter(Unit{}, [=](const Unit&) {
    return next_accepted(listener) >> [=](const Result<Socket>& client) -> Turns {
      return client ? serve(options, listener, *client, session) : Turns(ret(Turn{Break{Outcome::stopped}}));
    };
  });
}

/// A bound socket. A server that was killed may hold the address for a moment yet, so it is tried anew, for 1.3 s.
inline Program<Net, Result<Socket>> open_at(const Endpoint& at) {
  using Tries = Step<Rest, Result<Socket>>;
  return iter(Rest{first_rest_ms}, [=](const Rest& rest) {
    return OpenSocket{at} >> [=](const Result<Socket>& opened) -> Program<Net, Tries> {
      const bool is_held = !opened && opened.error() == Errno::ADDRINUSE;
      if (!is_held || rest.wait_ms > longest_rest_ms) return ret(Tries{Break{opened}});
      return Sleep{rest.wait_ms} >> [=](const Result<Unit>&) { return ret(Tries{Continue{Rest{2 * rest.wait_ms}}}); };
    };
  });
}

/// The listening socket, or the error that says why there is none.
inline Program<Net, Result<Socket>> listen_at(const ServerOptions& options) {
  return open_at(options.at) >> [=](const Result<Socket>& opened) -> Program<Net, Result<Socket>> {
    if (!opened) return ret(opened);
    return Listen{*opened, options.backlog} >> [=](const Result<Endpoint>& bound) -> Program<Net, Result<Socket>> {
      if (bound) return ret(opened);
      return Close{*opened} >> [=](const Result<Unit>&) { return ret(Result<Socket>(failed(bound.error()))); };
    };
  };
}

}  // namespace acceptor

/// Serves clients until asked to stop. It ends with an error only if it cannot listen.
template <class Session>
Server tcp_server(const ServerOptions& options, const Session& session) {
  return DiscardChildren{} >> [=](const Result<Unit>& discarding) -> Server {
    if (!discarding) return ret(discarding);
    return acceptor::listen_at(options) >> [=](const Result<Socket>& listener) -> Server {
      if (!listener) return ret(Result<Unit>(failed(listener.error())));
      return acceptor::accept_clients(options, *listener, session) >> [=](const acceptor::Outcome& who) -> Server {
        if (who == acceptor::Outcome::session_over) return ret(Result<Unit>());
        return Close{*listener} >> [](const Result<Unit>&) { return ret(Result<Unit>()); };
      };
    };
  };
}

}  // namespace antiphon
