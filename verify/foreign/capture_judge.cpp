#include "verify/foreign/capture_judge.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "interpreters/capture.hpp"
#include "interpreters/tcp_stream.hpp"
#include "verify/contract.hpp"
#include "verify/conversation.hpp"
#include "verify/foreign/findings.hpp"
#include "verify/foreign/recent.hpp"

namespace antiphon::verify {

namespace {

using foreign::Findings;
using wire::Endpoint;
using wire::Segment;

struct Connection {
  std::uint64_t number = 0;
  Endpoint client;
  Endpoint server;
  wire::TcpStream to_server;
  wire::TcpStream to_client;
  Conversation conversation;
  std::string unpaid;           ///< What the server sent and the client's side does not show yet.
  std::size_t mismatch_in = 0;  ///< The packet; 0: there is none, or it was told.
  std::size_t ended_in = 0;     ///< The packet by which the server ends its side; 0: it did not.
  bool reset_by_server = false;
  bool reset_by_client = false;
  std::size_t last_packet = 0;
  std::uint64_t had = 0;  ///< So many of the client's bytes the server had by then.
  bool established = false;
  bool over = false;  ///< Nothing follows but what is late.

  [[nodiscard]] std::string name() const {
    return "client " + std::to_string(number) + " (" + wire::text_of(client) + ")";
  }
};

using Ends = std::pair<Endpoint, Endpoint>;
Ends ends_of(const Segment& segment) { return std::minmax(segment.from, segment.to); }

/// So many connections that are over are still known.
constexpr std::size_t most_over = 10'000;

/// Follows the connections of a capture.
class CaptureJudge {
 public:
  explicit CaptureJudge(std::optional<std::int64_t> port) : port_(port) {}

  void see(Segment segment);
  [[nodiscard]] const std::optional<BadInput>& refusal() const { return refusal_; }
  Verdict finish(const wire::Reader& reader);

 private:
  [[nodiscard]] bool is_chosen(const Segment& segment) const {
    return !port_ || segment.from.port == *port_ || segment.to.port == *port_;
  }
  Connection* connection_of(const Segment& segment);
  Connection* begin(const Segment& segment);
  void from_client(Connection& connection, const Segment& segment);
  void from_server(Connection& connection, const Segment& segment);
  void pay(Connection& connection, std::size_t packet, bool all);
  static void end_side(Connection& connection, const Segment& segment);
  void finish(Connection& connection);
  void retire(const Ends& ends);
  void judge_debt(Connection& connection);
  void tell_mismatch(Connection& connection);

  std::optional<std::int64_t> port_;
  Findings findings_;
  foreign::Recent recent_;
  std::uint64_t number_ = 0;
  std::map<Ends, std::unique_ptr<Connection>> connections_;
  std::deque<Ends> over_;  ///< Kept for a while, so that what is late is known as such.
  std::optional<BadInput> refusal_;
};

/// Null: it is of no connection that is judged.
Connection* CaptureJudge::connection_of(const Segment& segment) {
  const auto found = connections_.find(ends_of(segment));
  const bool opens = segment.syn && !segment.acknowledges;
  if (found != connections_.end()) {
    Connection& known = *found->second;
    const wire::TcpStream& stream = segment.from == known.client ? known.to_server : known.to_client;
    if (!opens || stream.begins_at(segment.sequence + 1)) return &known;
    // The same ports once more.
    finish(known);
    connections_.erase(found);
  }
  if (opens) return begin(segment);
  // What says nothing tells nothing of a connection that nobody saw begin.
  if (!segment.payload.empty() || segment.fin || segment.cut) {
    findings_.doubt("middle", "packet " + std::to_string(segment.packet) + ": the connection of " +
                                  wire::text_of(segment.from) + " and " + wire::text_of(segment.to) +
                                  " was there before the capture");
  }
  return nullptr;
}

Connection* CaptureJudge::begin(const Segment& segment) {
  auto made = std::make_unique<Connection>();
  const bool accepts = !port_ || segment.to.port == *port_;
  made->number = ++number_;
  made->client = accepts ? segment.from : segment.to;
  made->server = accepts ? segment.to : segment.from;
  (accepts ? made->to_server : made->to_client).start(segment.sequence + 1);
  recent_.open(made->number, [one = made.get()] { return Stream{one->name(), one->conversation.recent()}; });
  return connections_.insert_or_assign(ends_of(segment), std::move(made)).first->second.get();
}

void CaptureJudge::see(Segment segment) {
  if (!is_chosen(segment)) return;
  Connection* const connection = connection_of(segment);
  if (connection == nullptr || connection->over) return;
  if (segment.cut) {
    refusal_ = BadInput{segment.packet, "its payload is cut short: capture with a longer -s (snaplen)"};
    return;
  }
  connection->last_packet = segment.packet;
  const bool by_client = segment.from == connection->client;
  wire::TcpStream& sends = by_client ? connection->to_server : connection->to_client;
  wire::TcpStream& receives = by_client ? connection->to_client : connection->to_server;
  if (segment.syn) {
    if (!sends.started()) sends.start(segment.sequence + 1);
    // Data may come with it.
    ++segment.sequence;
    if (receives.started() && !std::exchange(connection->established, true)) {
      ++findings_.tally.connections;
      findings_.tally.at_once = std::max<std::uint64_t>(findings_.tally.at_once, recent_.open_at_once());
    }
  }
  if (!sends.started() && !segment.rst) {
    findings_.doubt("middle", "packet " + std::to_string(segment.packet) +
                                  ": the capture lacks how the connection of " + connection->name() + " began");
    connection->over = true;
    recent_.close(connection->number);
    return retire(ends_of(segment));
  }
  if (segment.acknowledges && receives.started()) receives.acknowledge(*segment.acknowledges);
  if (by_client) {
    from_client(*connection, segment);
  } else {
    from_server(*connection, segment);
  }
  const bool both_ended = connection->to_server.ended() && connection->to_client.ended();
  const bool is_reset = connection->reset_by_client || connection->reset_by_server;
  if (!both_ended && !is_reset && !sends.lost()) return;
  finish(*connection);
  retire(ends_of(segment));
}

/// Of a connection that is over.
void CaptureJudge::retire(const Ends& ends) {
  over_.push_back(ends);
  if (over_.size() <= most_over) return;
  const auto oldest = connections_.find(over_.front());
  if (oldest != connections_.end() && oldest->second->over) connections_.erase(oldest);
  over_.pop_front();
}

void CaptureJudge::from_client(Connection& connection, const Segment& segment) {
  if (segment.rst) {
    connection.reset_by_client = true;
    return;
  }
  const std::string bytes = connection.to_server.take(segment.sequence, segment.payload);
  connection.conversation.receive(bytes);
  findings_.tally.bytes_received += bytes.size();
  if (segment.fin) {
    connection.to_server.end(static_cast<std::uint32_t>(segment.sequence + segment.payload.size()));
  }
  pay(connection, segment.packet, false);
}

void CaptureJudge::from_server(Connection& connection, const Segment& segment) {
  if (segment.rst) return end_side(connection, segment);
  const std::string bytes = connection.to_client.take(segment.sequence, segment.payload);
  connection.unpaid += bytes;
  findings_.tally.bytes_sent += bytes.size();
  if (segment.fin) {
    connection.to_client.end(static_cast<std::uint32_t>(segment.sequence + segment.payload.size()));
  }
  pay(connection, segment.packet, false);
  if (connection.to_client.ended()) end_side(connection, segment);
}

/// Compares what the server sent with what the client did. A capture may have the two in another order than they
/// happened in, so what comes too soon waits. `all`: nothing comes any more.
void CaptureJudge::pay(Connection& connection, std::size_t packet, bool all) {
  Conversation& conversation = connection.conversation;
  const bool had_mismatch = conversation.mismatch().has_value();
  const std::size_t count = all ? connection.unpaid.size() : conversation.owed().size();
  const std::string bytes = connection.unpaid.substr(0, count);
  connection.unpaid.erase(0, bytes.size());
  if (!bytes.empty()) conversation.send(bytes);
  if (had_mismatch || !conversation.mismatch()) return;
  connection.mismatch_in = packet;
  if (stranger(*conversation.mismatch(), recent_.others(connection.number)) != nullptr) tell_mismatch(connection);
}

void CaptureJudge::tell_mismatch(Connection& connection) {
  if (connection.mismatch_in == 0) return;
  findings_.mismatch("packet " + std::to_string(connection.mismatch_in) + ", to " + connection.name(),
                     *connection.conversation.mismatch(), recent_.others(connection.number));
  connection.mismatch_in = 0;
}

/// What was still on its way to the server it need not answer.
void CaptureJudge::end_side(Connection& connection, const Segment& segment) {
  connection.reset_by_server = connection.reset_by_server || segment.rst;
  if (connection.ended_in != 0) return;
  connection.ended_in = segment.packet;
  connection.had = connection.to_server.acknowledged();
}

void CaptureJudge::finish(Connection& connection) {
  if (std::exchange(connection.over, true)) return;
  if (connection.to_server.lacks() || connection.to_client.lacks()) {
    findings_.doubt("holes", connection.name() + ": packets of its connection are not in the capture");
  } else {
    judge_debt(connection);
    pay(connection, connection.last_packet, true);
  }
  tell_mismatch(connection);
  recent_.close(connection.number);
  connection.conversation = {};
  connection.unpaid.clear();
}

void CaptureJudge::judge_debt(Connection& connection) {
  const bool ended = connection.ended_in != 0;
  const std::uint64_t has = ended ? connection.had : connection.to_server.bytes();
  const std::uint64_t sent = connection.conversation.sent() + connection.unpaid.size();
  const bool owes = has > sent && !connection.conversation.mismatch();
  const bool excused = owes && !ended && connection.reset_by_client;
  if (connection.established) {
    ++findings_.tally.excuses.at(static_cast<std::size_t>(excused ? Excuse::reset : Excuse::none));
  }
  if (!owes || excused) return;
  const std::string_view owed = connection.conversation.owed().substr(0, has - sent);
  const std::string what = " owes it " + bytes_text(owed.size()) + ": " + in_quotes(owed);
  if (!ended) {
    findings_.doubt("open", "the capture ends, and the server of " + connection.name() + what);
    return;
  }
  const std::string how = connection.reset_by_server ? ": resets " : ": ends its side of ";
  findings_.violation(foreign::answered,
                      "packet " + std::to_string(connection.ended_in) + how + connection.name() + " and" + what);
}

Verdict CaptureJudge::finish(const wire::Reader& reader) {
  for (auto& [ends, connection] : connections_) finish(*connection);
  findings_.tally.events = reader.packets();
  if (reader.cut()) findings_.doubt("cut", "the capture is cut off in its last packet");
  if (reader.fragments() > 0) {
    findings_.doubt("fragments", "packets that came in pieces (IP fragments) are not put together");
  }
  findings_.doubt_if_nothing_was_said();
  return findings_.verdict();
}

}  // namespace

std::expected<Verdict, BadInput> judge_capture(const std::string& path, std::optional<std::int64_t> port) {
  auto reader = wire::Reader::open(path);
  if (!reader) return std::unexpected(reader.error());
  CaptureJudge judge(port);
  for (;;) {
    auto segment = reader->next();
    if (!segment) return std::unexpected(segment.error());
    if (!*segment) return judge.finish(*reader);
    judge.see(**std::move(segment));
    if (const auto& refusal = judge.refusal()) return std::unexpected(*refusal);
  }
}

}  // namespace antiphon::verify
