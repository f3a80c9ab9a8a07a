#include "verify/planted.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/programs/seed.hpp"
#include "core/rewrite.hpp"

namespace antiphon::verify {

namespace {

using Sent = Program<Net, Result<std::size_t>>;
using Received = Program<Net, Result<Bytes>>;
using Done = Program<Net, Result<Unit>>;

constexpr Socket listener{0};

Sent send_twice(const Send& send) {
  return send >> [=](const Result<std::size_t>& sent) -> Sent {
    if (!sent) return ret(sent);
    return send >> [=](const Result<std::size_t>&) { return ret(sent); };
  };
}

Sent send_reversed(const Send& send) {
  std::string content(send.bytes.view());
  std::ranges::reverse(content);
  return Send{send.to, Bytes::copy_of(content), send.until};
}

Sent send_and_give_up(const Send& send) {
  return send >> [](const Result<std::size_t>&) { return ret(Result<std::size_t>(failed(Errno::PIPE))); };
}

Received lose_last_byte(const Recv& recv) {
  return recv >> [](const Result<Bytes>& message) -> Received {
    if (!message || message->size() < 2) return ret(message);
    return ret(Result<Bytes>(message->take(message->size() - 1)));
  };
}

Received without_limit(Recv recv) {
  recv.until.wait_ms = forever_ms;
  return recv;
}

Done with_longer_alarm(Alarm alarm) {
  if (alarm.wait_ms != forever_ms) alarm.wait_ms += 1;
  return alarm;
}

/// Each short write buys as much time again.
auto with_new_alarm(std::int64_t progress_ms) {
  return [=](const Send& send) -> Sent { return Alarm{progress_ms} >> [=](const Result<Unit>&) { return send; }; };
}

Received ask_for_more(Recv recv) {
  recv.at_most *= 2;
  return recv;
}

Received without_drain(Recv recv) {
  recv.until.drain_ms = 0;
  return recv;
}

Done close_twice(const Close& close) {
  return close >> [=](const Result<Unit>&) { return close; };
}

Done read_after_close(const Close& close) {
  return close >> [=](const Result<Unit>& closed) -> Done {
    return Recv{close.socket, 16, {}} >> [=](const Result<Bytes>&) { return ret(closed); };
  };
}

/// What a client says goes to whoever comes next.
Received tell_another(const Recv& recv) {
  return recv >> [=](const Result<Bytes>& message) -> Received {
    if (!message || message->empty()) return ret(message);
    return Accept{listener} >> [=](const Result<Socket>& other) -> Received {
      if (!other) return ret(message);
      return Send{*other, *message, recv.until} >> [=](const Result<std::size_t>&) { return ret(message); };
    };
  };
}

Done never_close(const Close&) { return ret(Result<Unit>()); }

Done never_sleep(const Sleep&) { return ret(Result<Unit>()); }

/// In place of what is due.
template <class Response>
Program<Net, Response> sleep_for_ever() {
  return iter(Unit{}, [](const Unit&) {
    return Sleep{1'000} >> [](const Result<Unit>&) { return ret(Step<Unit, Response>{Continue{Unit{}}}); };
  });
}

Sent sleep_on(const Send&) { return sleep_for_ever<Result<std::size_t>>(); }

/// Whoever comes after the first client waits.
Program<Net, Result<Forked>> serve_one(const Fork& fork) {
  return fork >> [](const Result<Forked>& forked) -> Program<Net, Result<Forked>> {
    if (forked && std::holds_alternative<Parent>(*forked)) return sleep_for_ever<Result<Forked>>();
    return ret(forked);
  };
}

Done never_shut_down(const ShutdownSend&) { return ret(Result<Unit>()); }

Done keep_listener(const Close& close) {
  if (close.socket == listener) return ret(Result<Unit>());
  return close;
}

Program<Net, Result<Forked>> serve_oneself(const Fork&) { return ret(Result<Forked>(Child{})); }

/// Clients have the first name beside the listener's.
auto serve_fewer_of_each_address(std::int64_t promised) {
  return [=](Fork fork) -> Program<Net, Result<Forked>> {
    fork.at_most_alike = promised == 1 ? 0 : 1;
    fork.client = {1};
    return fork;
  };
}

Program<Net, Result<Endpoint>> never_listen(const Listen&) { return ret(Result<Endpoint>(Endpoint{})); }

Program<Net, Result<Endpoint>> without_backlog(Listen listen) {
  listen.backlog = 0;
  return listen;
}

Received wait_elsewhere(const Recv&) {
  return Accept{listener} >> [](const Result<Socket>&) { return ret(Result<Bytes>(failed(Errno::IO))); };
}

}  // namespace

std::vector<Planted> planted_violations(const ProgramOptions& options) {
  const Server server = *program_named("stream", options);
  const Server once = *program_named("once", options);
  ProgramOptions limited = options;
  std::int64_t& progress_ms = limited.session.progress_ms;
  if (progress_ms == forever_ms) progress_ms = 30'000;
  const Server in_time = *program_named("stream", limited);
  ProgramOptions unhurried = options;
  unhurried.session.progress_ms = forever_ms;
  return {
      {"echo", "every message is sent twice", replace<Send>(server, send_twice)},
      {"echo", "what one client says goes to another",
       replace<Recv>(replace<Close>(server, keep_listener), tell_another)},
      {"answered", "the last byte of a message is lost", replace<Recv>(server, lose_last_byte)},
      {"input-read", "the session ends after one message", replace<Send>(server, send_and_give_up)},
      {"input-read", "of an address fewer clients are served than promised",
       replace<Fork>(server, serve_fewer_of_each_address(options.server.max_per_address))},
      {"buffer", "sessions ask for twice their buffer", replace<Recv>(server, ask_for_more)},
      {"open", "sockets are closed twice", replace<Close>(server, close_twice)},
      {"open", "sockets are read after they are closed", replace<Close>(server, read_after_close)},
      {"released", "nothing is closed", replace<Close>(server, never_close)},
      {"roles", "the acceptor serves its clients itself", replace<Fork>(server, serve_oneself)},
      {"own-connection", "sessions keep the listener", replace<Close>(server, keep_listener)},
      {"rests", "nobody ever sleeps", replace<Sleep>(server, never_sleep)},
      {"ends-side", "the answer is followed by nothing", replace<ShutdownSend>(once, never_shut_down),
       Answers::first_message},
      {"reaped", "children are not discarded",
       replace<DiscardChildren>(server, [](const DiscardChildren&) -> Done { return ret(Result<Unit>()); })},
      {"handled", "errors end the process (the original)", seed::echo_server()},
      {"starts", "the server does not listen", replace<Listen>(server, never_listen)},
      {"acceptor-lives", "errors end the acceptor (the original)", seed::echo_server()},
      {"idle-limit", "sessions wait for ever", replace<Recv>(server, without_limit)},
      {"progress-limit", "there is no alarm", *program_named("stream", unhurried), Answers::everything, progress_ms},
      {"progress-limit", "the alarm is longer than the limit", replace<Alarm>(in_time, with_longer_alarm),
       Answers::everything, progress_ms},
      {"progress-limit", "the alarm is set again before each Send", replace<Send>(in_time, with_new_alarm(progress_ms)),
       Answers::everything, progress_ms},
      {"drained", "sessions are cut at the stop", replace<Recv>(server, without_drain)},
      {"admission", "the backlog is 0", replace<Listen>(server, without_backlog)},
      {"nobody-waits", "sessions wait for something else",
       replace<Recv>(replace<Close>(server, keep_listener), wait_elsewhere)},
      {"delivered", "messages go back in reverse", replace<Send>(server, send_reversed)},
      {"served", "sessions sleep on in place of answering", replace<Send>(server, sleep_on)},
      {"served", "the acceptor sleeps on after its first client", replace<Fork>(server, serve_one)},
  };
}

}  // namespace antiphon::verify
