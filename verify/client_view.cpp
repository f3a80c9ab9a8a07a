#include "verify/client_view.hpp"

#include <algorithm>

namespace antiphon::verify {

namespace {

/// An instruction of a client that was answered.
struct Follow {
  ClientView& view;

  /// What a wait that came to nothing tells.
  void fail(Errno error) const {
    if (error == Errno::STOPPING) {
      view.stopped = true;
    } else if (error != Errno::EXPIRED && error != Errno::INTR) {
      view.failure = error;
    }
  }

  void operator()(const Connect&, const Result<Socket>& socket) const {
    view.begun = true;
    view.connected = socket.has_value();
    if (socket) return;
    view.stopped = socket.error() == Errno::STOPPING;
    view.unconnected = socket.error();
  }
  void operator()(const Send& send, const Result<std::size_t>& sent) const {
    if (!sent) return fail(sent.error());
    view.conversation.receive(send.bytes.content().substr(0, *sent));
  }
  void operator()(const Recv& recv, const Result<Bytes>& bytes) const {
    if (!bytes) return fail(bytes.error());
    if (bytes->empty()) {
      view.met_end |= recv.at_most > 0;
      return;
    }
    view.conversation.send(bytes->content());
    view.came_first += bytes->content().substr(0, ClientView::most_shown - view.came_first.size());
  }
  void operator()(const ShutdownSend&, const Result<Unit>&) const { view.ended_side = true; }
  void operator()(const Sleep&, const Result<Unit>& slept) const {
    if (!slept) fail(slept.error());
  }
  void operator()(const auto&, const auto&) const {}
};

}  // namespace

bool holds(const Visit& visit, std::size_t client, const ClientView& view) {
  const Script& script = visit.clients[client];
  if (!view.connected) return false;
  if (stops_reading(script)) return true;
  if (ends_by_itself(script) || visit.patience.idle_ms != forever_ms) return false;
  const std::uint64_t sent = view.conversation.received();
  if (visit.answers == Answers::first_message) return sends(script) == 0;
  return sent >= sends(script) && view.conversation.sent() >= sent;
}

ClientWatch::ClientWatch(const Visit& visit, ProcessId first)
    : visit_(&visit), first_(first), views_(visit.clients.size()), is_settled_(views_.size()) {}

void ClientWatch::see(const ProcessEvent& event) {
  const auto* const issued = std::get_if<Issued>(&event.what);
  const auto found = clients_.find(event.process);
  if (found == clients_.end() && event.process != first_) return;
  if (issued != nullptr && issued->child) {
    clients_.emplace(*issued->child, clients_.size());
    return;
  }
  if (found == clients_.end()) return;
  const std::size_t client = found->second;
  ClientView& view = views_[client];
  if (issued == nullptr) {
    view.over = true;
  } else {
    std::visit(
        [&]<class I>(const Exchange<I>& exchange) {
          if (exchange.response) Follow{view}(exchange.instruction, *exchange.response);
        },
        issued->exchange);
  }
  if (is_settled_[client]) return;
  if (!view.over && !holds(*visit_, client, view)) return;
  is_settled_[client] = true;
  ++settled_;
}

}  // namespace antiphon::verify
