#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/programs/server.hpp"

/// The echo sessions. Both send back what they received, byte for byte, and handle every error that Recv and Send
/// can answer: EINTR is tried again, want of memory after a rest, anything else ends the session.

namespace antiphon {

struct SessionOptions {
  std::size_t at_most = 16384;                           ///< Bytes of one Recv.
  Deadline until{.wait_ms = 60'000, .drain_ms = 5'000};  ///< Idle limit, and the time granted after a stop.
  std::int64_t progress_ms = forever_ms;                 ///< Within that time what was received is sent.
};

namespace echo {

/// The rest after a failure that passes by itself; it doubles, and when it is spent the connection counts as failed.
inline constexpr std::int64_t first_rest_ms = 1;
inline constexpr std::int64_t longest_rest_ms = 1024;

struct Rest {
  std::int64_t wait_ms = first_rest_ms;

  static constexpr std::tuple fields{Field{"wait_ms", &Rest::wait_ms}};
  bool operator==(const Rest&) const = default;
};

/// Receives, with the failures that pass by themselves behind it. No bytes: the client ended its side.
inline Program<Net, Result<Bytes>> receive(Socket client, const SessionOptions& options) {
  using Turn = Step<Rest, Result<Bytes>>;
  return iter(Rest{}, [=](const Rest& rest) {
    return Recv{client, options.at_most, options.until} >> [=](const Result<Bytes>& message) -> Program<Net, Turn> {
      if (message) return ret(Turn{Break{message}});
      if (message.error() == Errno::INTR) return ret(Turn{Continue{rest}});
      if (passes_by_itself(message.error()) && rest.wait_ms <= longest_rest_ms) {
        return Sleep{rest.wait_ms} >> [=](const Result<Unit>&) { return ret(Turn{Continue{Rest{2 * rest.wait_ms}}}); };
      }
      return ret(Turn{Break{message}});
    };
  });
}

/// What is left to send, and the rest before the next try should it fail.
struct Unsent {
  Bytes bytes;
  Rest rest;

  static constexpr std::tuple fields{Field{"bytes", &Unsent::bytes}, Field{"rest", &Unsent::rest}};
};

/// Sends everything, through short writes.
inline Program<Net, Result<Unit>> send_all(Socket client, const Bytes& message, const Deadline& until) {
  using Turn = Step<Unsent, Result<Unit>>;
  return iter(Unsent{message, {}}, [=](const Unsent& unsent) {
    return Send{client, unsent.bytes, until} >> [=](const Result<std::size_t>& sent) -> Program<Net, Turn> {
      if (sent) {
        const Bytes left = unsent.bytes.drop(*sent);
        if (left.empty()) return ret(Turn{Break{Result<Unit>()}});
        return ret(Turn{Continue{Unsent{left, {}}}});
      }
      if (sent.error() == Errno::INTR) return ret(Turn{Continue{unsent}});
      if (passes_by_itself(sent.error()) && unsent.rest.wait_ms <= longest_rest_ms) {
        return Sleep{unsent.rest.wait_ms} >> [=](const Result<Unit>&) {
          return ret(Turn{Continue{Unsent{unsent.bytes, Rest{2 * unsent.rest.wait_ms}}}});
        };
      }
      return ret(Turn{Break{Result<Unit>(failed(sent.error()))}});
    };
  });
}

/// Sends everything under an alarm, within the progress limit.
inline Program<Net, Result<Unit>> send_under_alarm(Socket client, const Bytes& message, const SessionOptions& options) {
  return Alarm{options.progress_ms} >> [=](const Result<Unit>&) {
    return send_all(client, message, options.until) >>
           [](const Result<Unit>& sent) { return Alarm{forever_ms} >> [=](const Result<Unit>&) { return ret(sent); }; };
  };
}

/// Sends everything within the progress limit. What goes without waiting needs no alarm, and that is nearly all; with
/// no limit it is `send_all` and no more.
inline Program<Net, Result<Unit>> send_in_time(Socket client, const Bytes& message, const SessionOptions& options) {
  if (options.progress_ms == forever_ms) return send_all(client, message, options.until);
  const Deadline at_once{.wait_ms = 0, .drain_ms = options.until.drain_ms};
  return Send{client, message, at_once} >> [=](const Result<std::size_t>& sent) -> Program<Net, Result<Unit>> {
    if (sent && *sent == message.size()) return ret(Result<Unit>());
    if (sent) return send_under_alarm(client, message.drop(*sent), options);
    const bool may_go_on =
        sent.error() == Errno::EXPIRED || sent.error() == Errno::INTR || passes_by_itself(sent.error());
    if (may_go_on) return send_under_alarm(client, message, options);
    return ret(Result<Unit>(failed(sent.error())));
  };
}

inline Program<Net, Unit> hang_up(Socket client) { return ignore(Close{client}); }

}  // namespace echo

/// Echoes until the client ends its side (RFC 862).
inline auto stream_session(const SessionOptions& options) {
  return [=](Socket client) -> Program<Net, Unit> {
    using Turn = Step<Unit, Unit>;
    return iter(Unit{},
                [=](const Unit&) {
                  return echo::receive(client, options) >> [=](const Result<Bytes>& message) -> Program<Net, Turn> {
                    if (!message || message->empty()) return ret(Turn{Break{Unit{}}});
                    return echo::send_in_time(client, *message, options) >> [](const Result<Unit>& sent) {
                      return ret(sent ? Turn{Continue{Unit{}}} : Turn{Break{Unit{}}});
                    };
                  };
                }) >>
           [=](const Unit&) { return echo::hang_up(client); };
  };
}

namespace echo {

/// How long the one-message session waits in silence for the client's end.
inline constexpr std::int64_t linger_ms = 2'000;

/// Reads and discards until the client's end, an error or a deadline, so that closing resets nothing.
inline Program<Net, Unit> linger(Socket client, const SessionOptions& options) {
  using Turn = Step<Unit, Unit>;
  SessionOptions patience = options;
  patience.until.wait_ms = std::min(options.until.wait_ms, linger_ms);
  return iter(Unit{}, [=](const Unit&) {
    return map(receive(client, patience), [](const Result<Bytes>& more) {
      return more && !more->empty() ? Turn{Continue{Unit{}}} : Turn{Break{Unit{}}};
    });
  });
}

}  // namespace echo

/// The original's conversation: what arrives first is answered, whole, and the connection ends.
inline auto once_session(const SessionOptions& options) {
  return [=](Socket client) -> Program<Net, Unit> {
    return echo::receive(client, options) >> [=](const Result<Bytes>& message) -> Program<Net, Unit> {
      if (!message || message->empty()) return echo::hang_up(client);
      return echo::send_in_time(client, *message, options) >> [=](const Result<Unit>& sent) -> Program<Net, Unit> {
        if (!sent) return echo::hang_up(client);
        return ShutdownSend{client} >> [=](const Result<Unit>&) {
          return echo::linger(client, options) >> [=](const Unit&) { return echo::hang_up(client); };
        };
      };
    };
  };
}

}  // namespace antiphon
