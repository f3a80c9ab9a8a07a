#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "verify/clients.hpp"

/// What an echo server promises to whoever connects to it, each with the clients that try it.

namespace antiphon::verify {

struct Promise {
  std::string_view name;
  std::string_view text;      ///< What always holds, in a sentence.
  std::vector<Visit> visits;  ///< One after the other, until one of them shows a fault.
};

/// What is expected of the server.
struct PromiseOptions {
  Answers answers = Answers::everything;
  std::int64_t patience_ms = 2'000;             ///< See `Patience::answer_ms`.
  std::optional<std::int64_t> idle_timeout_ms;  ///< The server lets go of a client that is silent for that long.
};

/// How many clients come at once, and how many come in all to try whether the server lasts.
inline constexpr std::size_t clients_of_burst = 100;
inline constexpr std::size_t clients_in_a_row = 200;
/// Who asks for a connection is heard within that time, or asks again after a second (RFC 6298).
inline constexpr std::int64_t first_retry_ms = 900;

/// The promises in the order in which they are tried and reported. The first is what all others stand on: one client
/// says one thing.
std::vector<Promise> promises(const PromiseOptions& options);

/// Some clients, with the patience that is asked for.
Visit visit_of(const PromiseOptions& options, std::vector<Script> clients);

/// The promise that random clients try. Its visits are drawn.
inline constexpr std::string_view random_promise = "conversations";
inline constexpr std::string_view random_promise_text = "whatever clients say, in whatever pieces, is answered";

}  // namespace antiphon::verify
