#include "verify/clients.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace antiphon::verify {

namespace {

/// A piece of a message: one Send carries no more.
constexpr std::uint32_t most_at_once = 65'536;
/// How long a client that finds no room reads before it tries to send again.
constexpr std::int64_t turn_ms = 10;

/// A client: what it is told to do. It never changes while the program runs.
struct Client {
  Endpoint at;
  Answers answers;
  Patience patience;
  std::uint32_t number;
  Script script;
};
using Told = std::shared_ptr<const Client>;

/// How far a client has come.
struct Progress {
  Socket socket;  ///< Number -1: it has none.
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t awaited = 0;
  std::int64_t waited_ms = 0;  ///< Since the last byte, either way.
  bool reads = true;
  bool ended_side = false;
  bool over = false;  ///< Nothing more is to be done but to let go.

  static constexpr std::tuple fields{Field{"socket", &Progress::socket},         Field{"sent", &Progress::sent},
                                     Field{"received", &Progress::received},     Field{"awaited", &Progress::awaited},
                                     Field{"waited_ms", &Progress::waited_ms},   Field{"reads", &Progress::reads},
                                     Field{"ended_side", &Progress::ended_side}, Field{"over", &Progress::over}};
  bool operator==(const Progress&) const = default;

  [[nodiscard]] bool connected() const { return socket.number >= 0; }
};
using Progressing = Program<Net, Progress>;
using Turn = Step<Progress, Progress>;

Progress over(Progress progress) {
  progress.over = true;
  return progress;
}

/// Waits for bytes. Who has waited for `limit_ms` without any gives up.
Progressing receive(const Progress& before, std::int64_t wait_ms, std::int64_t limit_ms) {
  return Recv{before.socket, most_at_once, {.wait_ms = wait_ms}} >> [=](const Result<Bytes>& bytes) {
    Progress progress = before;
    if (bytes) {
      progress.received += bytes->size();
      progress.waited_ms = 0;
      progress.over = bytes->empty() || progress.received >= progress.sent + most_unasked;
    } else if (bytes.error() == Errno::EXPIRED) {
      progress.waited_ms += wait_ms;
      progress.over = progress.waited_ms >= limit_ms;
    } else {
      progress.over = bytes.error() != Errno::INTR;
    }
    return ret(progress);
  };
}

/// A message that is being sent.
struct Sending {
  Progress progress;
  Bytes piece;
  std::uint32_t left = 0;  ///< Bytes after the piece.

  static constexpr std::tuple fields{Field{"progress", &Sending::progress}, Field{"piece", &Sending::piece},
                                     Field{"left", &Sending::left}};
};

Sending next_piece(std::uint32_t client, const Progress& progress, std::uint32_t left) {
  const std::uint32_t count = std::min(left, most_at_once);
  return {progress, Bytes::copy_of(payload(client, progress.sent, count)), left - count};
}

Sending went_out(std::uint32_t client, Sending sending, std::size_t count) {
  sending.progress.sent += count;
  sending.progress.waited_ms = 0;
  sending.piece = sending.piece.drop(count);
  if (!sending.piece.empty() || sending.left == 0) return sending;
  return next_piece(client, sending.progress, sending.left);
}

/// Sends the message whole. Where there is no room it reads, unless it reads no more.
Progressing send(const Told& client, const Progress& before, std::uint32_t count) {
  using Sends = Step<Sending, Progress>;
  const std::int64_t limit_ms = client->patience.answer_ms;
  return iter(next_piece(client->number, before, count), [=](const Sending& sending) -> Program<Net, Sends> {
    if (sending.piece.empty() || sending.progress.over) return ret(Sends{Break{sending.progress}});
    const std::int64_t wait_ms = sending.progress.reads ? 0 : forever_ms;
    return Send{sending.progress.socket, sending.piece, {.wait_ms = wait_ms}} >>
               [=](const Result<std::size_t>& sent) -> Program<Net, Sends> {
      if (sent) return ret(Sends{Continue{went_out(client->number, sending, *sent)}});
      if (sent.error() != Errno::EXPIRED && sent.error() != Errno::INTR) {
        return ret(Sends{Break{over(sending.progress)}});
      }
      return receive(sending.progress, turn_ms, limit_ms) >> [=](const Progress& progress) {
        return ret(Sends{Continue{Sending{progress, sending.piece, sending.left}}});
      };
    };
  });
}

/// Waits until as much has come back as the script awaits, or nothing more comes.
Progressing await(const Told& client, const Progress& before) {
  const std::int64_t limit_ms = client->patience.answer_ms;
  return iter(before, [=](const Progress& progress) -> Program<Net, Turn> {
    if (progress.over || progress.received >= std::min(progress.awaited, progress.sent)) {
      return ret(Turn{Break{progress}});
    }
    return receive(progress, limit_ms, limit_ms) >> [](const Progress& after) { return ret(Turn{Continue{after}}); };
  });
}

/// Waits for what is owed, then for the server's end.
Progressing await_the_end(const Told& client, const Progress& before) {
  return iter(before, [=](const Progress& progress) -> Program<Net, Turn> {
    if (progress.over) return ret(Turn{Break{progress}});
    const bool end_is_owed = client->answers == Answers::first_message && progress.sent > 0;
    const bool is_owed = progress.ended_side || progress.received < progress.sent || end_is_owed;
    const std::int64_t wait_ms = is_owed ? client->patience.answer_ms : client->patience.idle_ms;
    return receive(progress, wait_ms, wait_ms) >> [](const Progress& after) { return ret(Turn{Continue{after}}); };
  });
}

// -- One action --------------------------------------------------------------------------------------------------

Progressing act(const Told& client, const Progress& before, const script::Connect&) {
  if (before.connected()) return ret(before);
  return Connect{client->at, {.wait_ms = client->patience.connect_ms}} >> [=](const Result<Socket>& socket) {
    Progress progress = before;
    if (socket) progress.socket = *socket;
    progress.over = !socket;
    return ret(progress);
  };
}

Progressing act(const Told& client, const Progress& before, const script::Send& action) {
  if (!before.connected() || before.ended_side) return ret(before);
  return send(client, before, action.count);
}

/// One is any number.
Progressing act(const Told& client, const Progress& before, const script::SendAny& action) {
  return act(client, before, script::Send{action.count});
}

Progressing act(const Told& client, const Progress& before, const script::Await& action) {
  Progress progress = before;
  progress.awaited += action.count;
  return progress.connected() && progress.reads ? await(client, progress) : Progressing(ret(progress));
}

Progressing act(const Told&, const Progress& before, const script::EndSide&) {
  if (!before.connected() || before.ended_side) return ret(before);
  return ShutdownSend{before.socket} >> [=](const Result<Unit>&) {
    Progress progress = before;
    progress.ended_side = true;
    return ret(progress);
  };
}

/// To receive nothing is to wait until there is something, and to leave it there.
Progressing act(const Told& client, const Progress& before, const script::Reset&) {
  if (!before.connected() || !before.reads || before.received >= before.sent) return ret(over(before));
  return Recv{before.socket, 0, {.wait_ms = client->patience.answer_ms}} >>
         [=](const Result<Bytes>&) { return ret(over(before)); };
}

Progressing act(const Told&, const Progress& before, const script::Pause& action) {
  return Sleep{action.wait_ms} >> [=](const Result<Unit>& slept) { return ret(slept ? before : over(before)); };
}

Progressing act(const Told&, const Progress& before, const script::StopReading&) {
  Progress progress = before;
  progress.reads = false;
  return ret(progress);
}

// -- All of them -------------------------------------------------------------------------------------------------

Progressing finish(const Told& client, const Progress& progress) {
  if (progress.over || !progress.connected()) return ret(progress);
  if (progress.reads) return await_the_end(client, progress);
  return Sleep{forever_ms} >> [=](const Result<Unit>&) { return ret(progress); };
}

Progressing perform(const Told& client, const Progress& progress, std::size_t from) {
  if (progress.over || from == client->script.size()) return finish(client, progress);
  return std::visit([&](const auto& action) { return act(client, progress, action); }, client->script[from]) >>
         [=](const Progress& after) { return perform(client, after, from + 1); };
}

Program<Net, Unit> be(const Told& client) {
  return perform(client, {}, 0) >> [](const Progress& progress) -> Program<Net, Unit> {
    return progress.connected() ? Program<Net, Unit>(ignore(Close{progress.socket})) : ret(Unit{});
  };
}

Server over_for_all() { return ret(Result<Unit>()); }

/// One client; when it is over a new process is the next one.
Server be_in_turn(const std::vector<Told>& clients, std::size_t which) {
  if (which == clients.size()) return over_for_all();
  return be(clients[which]) >> [=](const Unit&) -> Server {
    if (which + 1 == clients.size()) return over_for_all();
    return Fork{} >> [=](const Result<Forked>& forked) {
      const bool is_next = forked && std::holds_alternative<Child>(*forked);
      return is_next ? be_in_turn(clients, which + 1) : over_for_all();
    };
  };
}

template <class Action>
bool has(const Script& script) {
  return std::ranges::any_of(script, [](const auto& action) { return std::holds_alternative<Action>(action); });
}

}  // namespace

Server clients_program(const Endpoint& at, const Visit& visit) {
  std::vector<Told> clients;
  for (const Script& script : visit.clients) {
    const auto number = static_cast<std::uint32_t>(clients.size());
    clients.push_back(std::make_shared<const Client>(Client{at, visit.answers, visit.patience, number, script}));
  }
  using Forking = Step<std::size_t, std::optional<std::size_t>>;
  const std::size_t count = visit.in_turn ? std::min<std::size_t>(clients.size(), 1) : clients.size();
  const auto fork_all = iter(std::size_t{0}, [=](const std::size_t& next) -> Program<Net, Forking> {
    if (next == count) return ret(Forking{Break{std::optional<std::size_t>()}});
    return Fork{} >> [=](const Result<Forked>& forked) {
      if (!forked) return ret(Forking{Break{std::optional<std::size_t>()}});
      if (std::holds_alternative<Parent>(*forked)) return ret(Forking{Continue{next + 1}});
      return ret(Forking{Break{std::optional(next)}});
    };
  });
  return fork_all >> [clients = std::move(clients), in_turn = visit.in_turn](const std::optional<std::size_t>& which) {
    if (!which) return over_for_all();
    if (in_turn) return be_in_turn(clients, *which);
    return Server(be(clients[*which]) >> [](const Unit&) { return over_for_all(); });
  };
}

std::uint64_t sends(const Script& script) {
  std::uint64_t count = 0;
  for (const script::Action& action : script) {
    if (std::holds_alternative<script::EndSide>(action)) break;
    if (const auto* const send = std::get_if<script::Send>(&action)) count += send->count;
    if (const auto* const send = std::get_if<script::SendAny>(&action)) count += send->count;
  }
  return count;
}

bool stops_reading(const Script& script) { return has<script::StopReading>(script); }
bool resets(const Script& script) { return has<script::Reset>(script); }
bool ends_by_itself(const Script& script) { return has<script::EndSide>(script) || resets(script); }

}  // namespace antiphon::verify
