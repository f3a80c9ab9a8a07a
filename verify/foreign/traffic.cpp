#include "verify/foreign/traffic.hpp"

#include <algorithm>
#include <utility>

#include "verify/contract.hpp"

namespace antiphon::verify::foreign {

std::string Moment::text() const {
  std::string text = (line == 0 ? "at the end of the log" : "line " + std::to_string(line)) + ", " + who;
  const std::string number = descriptor ? std::to_string(*descriptor) : "";
  if (!call.empty()) return text + ", " + std::string(call) + "(" + number + ")";
  return number.empty() ? text : text + ", descriptor " + number;
}

std::shared_ptr<Client> Traffic::accept(const Moment& moment, const std::shared_ptr<Table>& by) {
  auto client = std::make_shared<Client>();
  client->number = ++number_;
  client->accepted_at = moment.line;
  client->accepted_by = by;
  // A log that is not of one run may lose a connection without a word.
  recent_.open(client->number, [known = std::weak_ptr(client)] {
    const auto one = known.lock();
    return one ? Stream{one->name(), one->bytes.seen().recent()} : Stream{};
  });
  ++findings_->tally.connections;
  findings_->tally.at_once = std::max<std::uint64_t>(findings_->tally.at_once, recent_.open_at_once());
  return client;
}

/// Two calls that overlap may have moved their bytes in either order.
void Traffic::order(const Moment& moment, Client& client, Mover& last, std::string_view direction) {
  if (last.pid != moment.pid && moment.begun < last.line) {
    findings_->doubt("order", moment.text() + ": two threads " + std::string(direction) + " " + client.name() +
                                  " at once, and the log does not say whose bytes came first");
  }
  last = {moment.pid, moment.line};
}

void Traffic::receive(const Moment& moment, Client& client, const Moved& moved) {
  order(moment, client, client.received_by, "receive from");
  client.bytes.receive(moved.bytes);
  findings_->tally.bytes_received += moved.count;
}

void Traffic::end_read(const Moment& moment, Client& client) {
  if (client.end_read_at == 0) client.end_read_at = moment.line;
  settle(moment, client);
}

void Traffic::send(const Moment& moment, Client& client, const Moved& moved) {
  order(moment, client, client.sent_by, "send to");
  findings_->tally.bytes_sent += moved.count;
  const bool had_mismatch = client.bytes.seen().mismatch().has_value();
  if (!client.bytes.send(moved.bytes)) {
    findings_->doubt("unseen", moment.text() + ": what " + client.name() +
                                   " is owed was moved by splice, and the log does not show it");
    client.lost = true;
  }
  compare(moment, client, had_mismatch);
  settle(moment, client);
}

void Traffic::compare(const Moment& moment, Client& client, bool had_mismatch) {
  const auto& mismatch = client.bytes.seen().mismatch();
  if (had_mismatch || !mismatch) return;
  client.mismatch_at = moment.text();
  // What comes after it may tell more, but for whose it is: they may be gone by then.
  if (stranger(*mismatch, recent_.others(client.number)) != nullptr) tell_mismatch(client);
}

void Traffic::tell_mismatch(Client& client) {
  if (client.mismatch_at.empty()) return;
  findings_->mismatch(client.mismatch_at + " to " + client.name(), *client.bytes.seen().mismatch(),
                      recent_.others(client.number));
  client.mismatch_at.clear();
}

Segment Traffic::receive_unseen(const Moment& moment, const std::shared_ptr<Client>& client, std::uint64_t count) {
  order(moment, *client, client->received_by, "receive from");
  findings_->tally.bytes_received += count;
  return {"", client, client->bytes.receive_unseen(count), count};
}

void Traffic::send_unseen(const Moment& moment, Client& client, const std::vector<Segment>& segments) {
  for (const Segment& segment : segments) {
    if (segment.client == nullptr) {
      send(moment, client, {segment.bytes, segment.count, false});
      continue;
    }
    order(moment, client, client.sent_by, "send to");
    findings_->tally.bytes_sent += segment.count;
    const std::string sends = moment.text() + " to " + client.name() + ": sends bytes " +
                              std::to_string(segment.position) + " to " +
                              std::to_string(segment.position + segment.count - 1) + " of ";
    if (segment.client.get() != &client) {
      findings_->violation(isolation, sends + segment.client->name());
    } else if (!client.bytes.send_unseen(segment.position, segment.count)) {
      findings_->violation(echo,
                           sends + "what it received where byte " + std::to_string(client.bytes.sent()) + " is due");
    }
  }
  settle(moment, client);
}

void Traffic::fail(const Moment& moment, Client& client) {
  client.failed = true;
  settle(moment, client);
}

void Traffic::end_side(const Moment& moment, Client& client) {
  client.side_ended = true;
  settle(moment, client);
}

/// Nothing is left to be done with the connection but to let go of it.
void Traffic::settle(const Moment& moment, Client& client) {
  if (client.settled_at != 0) return;
  if (!client.failed && (client.end_read_at == 0 || client.bytes.debt() > 0)) return;
  client.settled_at = moment.line;
  if (const auto table = client.accepted_by.lock()) {
    table->served_through = std::max(table->served_through, client.accepted_at);
  }
}

void Traffic::forget(Client& client) {
  tell_mismatch(client);
  recent_.close(client.number);
}

void Traffic::let_go(const Moment& moment, Client& client, bool stopped) {
  const std::uint64_t debt = client.bytes.debt();
  const bool owes = debt > 0 && !client.lost && !client.bytes.seen().mismatch();
  Excuse excuse = Excuse::none;
  if (owes && client.failed) excuse = Excuse::reset;
  if (owes && !client.failed && stopped) excuse = Excuse::drain;
  ++findings_->tally.excuses.at(static_cast<std::size_t>(excuse));
  forget(client);
  const std::string owed =
      bytes_text(debt) + (client.bytes.seen().owed().empty() ? "" : ": " + in_quotes(client.bytes.seen().owed()));
  if (excuse == Excuse::drain) {
    findings_->tally.stopped_while_serving = true;
    findings_->note("stopped",
                    moment.text() + ": a signal ends the server while " + client.name() + " is owed " + owed);
  }
  if (!owes || excuse != Excuse::none) return;
  if (client.may_have_sent) {
    findings_->doubt("unreturned", moment.text() + ": a call that sends to " + client.name() +
                                       " never returned, and it is owed " + owed);
    return;
  }
  findings_->violation(answered, moment.text() + ": lets go of " + client.name() + " and owes it " + owed);
}

void Traffic::held(const Moment& moment, const Client& client, const Table& by) {
  if (client.settled_at == 0 || client.settled_at >= by.served_through) return;
  const std::string why = client.failed ? "which had failed by line " : "whose end it had read by line ";
  findings_->violation(descriptors, moment.text() + ": still holds " + client.name() + ", " + why +
                                        std::to_string(client.settled_at) + "; it has served others since");
}

void Traffic::left_open(const Moment& moment, Client& client) {
  const std::uint64_t debt = client.bytes.debt();
  if (debt > 0 && !client.failed && !client.bytes.seen().mismatch()) {
    findings_->doubt("open", moment.text() + ": " + client.name() + " is still owed " + bytes_text(debt));
  }
  forget(client);
}

}  // namespace antiphon::verify::foreign
