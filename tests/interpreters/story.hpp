#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/trace.hpp"
#include "interpreters/simulated.hpp"

/// A run in few words: "Accept 1; Recv 3; Recv ECONNRESET; ends". Bytes are told by their number.

namespace antiphon {

namespace story {

inline std::string of(const Unit&) { return ""; }
inline std::string of(const Endpoint&) { return ""; }
inline std::string of(Socket socket) { return " " + std::to_string(socket.number); }
inline std::string of(std::size_t count) { return " " + std::to_string(count); }
inline std::string of(const Bytes& bytes) { return bytes.empty() ? " end" : of(bytes.size()); }
inline std::string of(const Forked& forked) { return std::holds_alternative<Parent>(forked) ? " parent" : " child"; }

inline std::string of(const ProcessEvent& event) {
  if (const auto* const ended = std::get_if<Ended>(&event.what)) {
    return ended->result ? "ends" : "ends " + name_of(ended->result.error());
  }
  return std::visit(
      []<class I>(const Exchange<I>& exchange) {
        std::string text(I::name);
        if (!exchange.response) return text + " waits";
        if (!*exchange.response) return text + " " + name_of(exchange.response->error());
        return text + of(**exchange.response);
      },
      std::get<Issued>(event.what).exchange);
}

inline std::string of(const ClientEvent& event) {
  const std::string text(name_of(event.kind));
  return event.bytes.empty() ? text : text + of(event.bytes.size());
}

inline void add(std::string& text, const std::string& word) { text += (text.empty() ? "" : "; ") + word; }

}  // namespace story

/// What a process issued and was answered.
inline std::string story_of_process(const std::vector<Event>& trace, ProcessId process) {
  std::string text;
  for (const Event& event : trace) {
    const auto* const of_process = std::get_if<ProcessEvent>(&event);
    if (of_process != nullptr && of_process->process == process) story::add(text, story::of(*of_process));
  }
  return text;
}

inline std::string story_of_process(const Run& run, ProcessId process) { return story_of_process(run.trace, process); }

/// What a client did and met; clients count from 1.
inline std::string story_of_client(const Run& run, ClientId client) {
  std::string text;
  for (const Event& event : run.trace) {
    const auto* const of_client = std::get_if<ClientEvent>(&event);
    if (of_client != nullptr && of_client->client == client) story::add(text, story::of(*of_client));
  }
  return text;
}

}  // namespace antiphon
