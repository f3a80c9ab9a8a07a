#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/bytes.hpp"
#include "core/instructions.hpp"
#include "core/unit.hpp"

/// What a run leaves behind: events. Every process numbers its own, from 0. Between processes only Fork orders them.

namespace antiphon {

/// A process's name in a trace: 0 is the first, and each Fork takes the next number. (The Pid that a Fork answers is
/// the world's name for it, and may come round again.)
using ProcessId = std::uint64_t;

/// An instruction and its response; none while it is issued and not answered.
template <Instruction I>
struct Exchange {
  I instruction;
  std::optional<typename I::Response> response;

  bool operator==(const Exchange&) const = default;
};

namespace detail {
template <class E>
struct ExchangesOf;
template <class... Is>
struct ExchangesOf<Effects<Is...>> {
  using Type = std::variant<Exchange<Is>...>;
};
}  // namespace detail

/// Any instruction of an effect set, with its response.
template <class E>
using AnyExchange = typename detail::ExchangesOf<E>::Type;

/// An instruction that a process issued. `child` is the new process's name where a Fork answered Parent.
struct Issued {
  AnyExchange<Net> exchange;
  std::optional<ProcessId> child;

  bool operator==(const Issued&) const = default;
};

/// The end of a process: its result, or the error that it did not handle.
struct Ended {
  Result<Unit> result;

  bool operator==(const Ended&) const = default;
};

/// An event of one process.
struct ProcessEvent {
  ProcessId process = 0;
  std::uint64_t number = 0;
  std::variant<Issued, Ended> what;

  bool operator==(const ProcessEvent&) const = default;
};

/// The event's instruction with its response if it is an I, or null.
template <Instruction I>
const Exchange<I>* exchange_of(const ProcessEvent& event) {
  const auto* const issued = std::get_if<Issued>(&event.what);
  return issued == nullptr ? nullptr : std::get_if<Exchange<I>>(&issued->exchange);
}
template <Instruction I>
Exchange<I>* exchange_of(ProcessEvent& event) {
  return const_cast<Exchange<I>*>(exchange_of<I>(std::as_const(event)));
}

/// Whether it is a process's first: what Fork answers to the child.
bool is_birth(const ProcessEvent& event);

using ClientId = std::uint32_t;

/// What a simulated client does or meets. A trace of the real kernel has none of these.
struct ClientEvent {
  enum class Kind : std::uint8_t {
    connecting,    ///< Asked for a connection.
    turned_away,   ///< The backlog was full: the request was dropped, the client tries again later.
    connected,     ///< The connection stands; nobody has accepted it yet.
    refused,       ///< Nobody listens.
    accepted,      ///< The server took the connection; `socket` is its name in `process`.
    sent,          ///< `bytes` went out.
    received,      ///< `bytes` came in.
    received_end,  ///< The server ended its side.
    met_reset,     ///< The server reset the connection.
    ended_side,    ///< Ended its own side (half-close).
    reset,         ///< Reset the connection itself.
    closed,        ///< Let go of the connection.
    stopped_reading,
  };
  ClientId client = 0;
  Kind kind = Kind::connecting;
  Bytes bytes;
  ProcessId process = 0;
  Socket socket;

  bool operator==(const ClientEvent&) const = default;
};

std::string_view name_of(ClientEvent::Kind kind);

/// The operator asked the server to stop.
struct StopEvent {
  bool operator==(const StopEvent&) const = default;
};

using Event = std::variant<ProcessEvent, ClientEvent, StopEvent>;

}  // namespace antiphon
