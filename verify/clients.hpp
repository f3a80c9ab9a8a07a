#pragma once

#include <cstdint>
#include <vector>

#include "core/programs/server.hpp"
#include "interpreters/scenario.hpp"
#include "verify/contracts/owed.hpp"

/// The other side: scripts of clients as one program, for any interpreter. On the kernel it drives real sockets against
/// a server that nobody knows anything of; in the simulator it meets a server's program.

namespace antiphon::verify {

/// How long a client waits before it gives up, in milliseconds.
struct Patience {
  std::int64_t connect_ms = 2'000;    ///< For its connection.
  std::int64_t answer_ms = 2'000;     ///< Without a byte, while it is owed something: an answer, or an end.
  std::int64_t idle_ms = forever_ms;  ///< While it is owed nothing.
};

/// What the clients of one run do, and how long they wait.
struct Visit {
  std::vector<Script> clients;
  bool in_turn = false;  ///< Each begins when the one before it is over. Otherwise all begin at once.
  Answers answers = Answers::everything;
  Patience patience;
  std::int64_t limit_ms = 10'000;  ///< Who has not finished by then is cut short.
};

/// A client that got this many bytes more than it sent lets go.
inline constexpr std::uint64_t most_unasked = 4096;

/// A process for each client, forked by the first one, in order; that one then ends. Of clients in turn each is forked
/// by the one before it.
///
/// A client does what its script says, as a simulated one does, with four differences. It reads only in `Await`, at the
/// end of its script, and while a Send finds no room, so that a `Pause` makes it a slow reader. `Await` waits for no
/// more than was sent. `Reset` leaves what is owed unread and closes, which resets the connection; a client that is
/// owed nothing only vanishes. And once the server has ended its side, or reset, the rest of the script is left out.
///
/// Where the script is over the client waits for the server's end. One that has not ended its side and is owed nothing
/// holds its connection until the run is stopped, or for `idle_ms`. Of a server that answers the first message alone
/// (`answers`) the end is owed as soon as something was sent.
Server clients_program(const Endpoint& at, const Visit& visit);

/// How many bytes the script sends.
std::uint64_t sends(const Script& script);
/// The client reads nothing from some place on.
bool stops_reading(const Script& script);
/// The client is over by itself: it ends its side or resets.
bool ends_by_itself(const Script& script);
bool resets(const Script& script);

}  // namespace antiphon::verify
