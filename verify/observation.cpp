#include "verify/observation.hpp"

#include <utility>
#include <variant>

#include "verify/contract.hpp"

namespace antiphon::verify {

namespace {

/// What the client does or meets; "": nothing that it could see.
std::string text_of(const ClientEvent& event) {
  using Kind = ClientEvent::Kind;
  switch (event.kind) {
    case Kind::connecting:
      return "asks for a connection";
    case Kind::turned_away:
      return "is turned away";
    case Kind::connected:
      return "is connected";
    case Kind::refused:
      return "is refused";
    case Kind::accepted:  // which the kernel does not tell it
      return "";
    case Kind::sent:
      return "sends " + in_quotes(event.bytes.content());
    case Kind::received:
      return "receives " + in_quotes(event.bytes.content());
    case Kind::received_end:
      return "receives the server's end";
    case Kind::met_reset:
      return "meets a reset";
    case Kind::ended_side:
      return "ends its side";
    case Kind::reset:
      return "resets its connection";
    case Kind::closed:
      return "lets go of its connection";
    case Kind::stopped_reading:
      return "stops reading";
  }
  return "";
}

std::string text_of(const Event& event) {
  if (std::holds_alternative<StopEvent>(event)) return "the operator asks for a stop";
  if (const auto* const of_client = std::get_if<ClientEvent>(&event)) {
    const std::string text = text_of(*of_client);
    return text.empty() ? text : "client " + std::to_string(of_client->client) + " " + text;
  }
  const auto& of_process = std::get<ProcessEvent>(event);
  const auto* const ended = std::get_if<Ended>(&of_process.what);
  if (ended == nullptr || of_process.process != 0) return "";
  return "the server's first process ends: " + (ended->result ? "ok" : antiphon::name_of(ended->result.error()));
}

std::string counted(std::size_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

}  // namespace

void Observer::see(const Event& event) {
  const std::string text = text_of(event);
  if (text.empty()) return;
  if (!seen_.empty()) seen_ += ", ";
  seen_ += text;
}

Label Observer::take() {
  if (seen_.empty()) return silent;
  return label_of(std::exchange(seen_, {}));
}

Label Observer::at_rest(const Remainder& remainder) {
  return label_of("all is at rest: " + counted(remainder.processes, "process lives", "processes live") + ", with " +
                  counted(remainder.listeners, "listener", "listeners") + " and " +
                  counted(remainder.connections, "connection", "connections"));
}

Label Observer::label_of(const std::string& text) {
  const auto [found, is_new] = labels_.try_emplace(text, static_cast<Label>(texts_.size()));
  if (is_new) texts_.push_back(text);
  return found->second;
}

}  // namespace antiphon::verify
