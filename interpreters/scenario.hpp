#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "core/fields.hpp"
#include "core/instructions.hpp"
#include "core/result.hpp"

/// A scenario is a value: what the clients do, which faults happen, and in which order things move. The same
/// scenario gives the same run, byte for byte.

namespace antiphon {

namespace script {

/// Asks for a connection, again and again while the server's backlog is full.
struct Connect {
  static constexpr std::tuple<> fields{};
  bool operator==(const Connect&) const = default;
};
/// Sends `count` bytes of the client's own pattern, as the buffers let it.
struct Send {
  std::uint32_t count;
  static constexpr std::tuple fields{Field{"count", &Send::count}};
  bool operator==(const Send&) const = default;
};
/// Waits until `count` more bytes came back (or the connection ended).
struct Await {
  std::uint32_t count;
  static constexpr std::tuple fields{Field{"count", &Await::count}};
  bool operator==(const Await&) const = default;
};
/// Half-close: nothing more will be sent.
struct EndSide {
  static constexpr std::tuple<> fields{};
  bool operator==(const EndSide&) const = default;
};
/// Resets the connection.
struct Reset {
  static constexpr std::tuple<> fields{};
  bool operator==(const Reset&) const = default;
};
struct Pause {
  std::uint32_t wait_ms;
  static constexpr std::tuple fields{Field{"wait_ms", &Pause::wait_ms}};
  bool operator==(const Pause&) const = default;
};
/// From here on the client reads nothing. Until then it reads whatever arrives.
struct StopReading {
  static constexpr std::tuple<> fields{};
  bool operator==(const StopReading&) const = default;
};

/// Sends messages of `count` bytes, as many as it likes: after each of them it sends another or goes on. Their bytes
/// come round after `any_period`, so that there are finitely many states; it sends no more than that unanswered.
struct SendAny {
  std::uint32_t count;
  static constexpr std::tuple fields{Field{"count", &SendAny::count}};
  bool operator==(const SendAny&) const = default;
};
inline constexpr std::uint64_t any_period = 10;

using Action = std::variant<Connect, Send, Await, EndSide, Reset, Pause, StopReading, SendAny>;

}  // namespace script

/// What one client does, in order. When the script is over the client waits for the server's end; it closes the
/// connection when it sees that end (or a reset), and holds it for ever otherwise.
using Script = std::vector<script::Action>;

/// The instructions that a fault can hit, by name.
inline constexpr std::array<std::string_view, 10> faulty_instructions{
    OpenSocket::name, Listen::name, Accept::name,          Recv::name, Send::name, ShutdownSend::name,
    Close::name,      Fork::name,   DiscardChildren::name, Sleep::name};

/// The `nth` time (from 0, over all processes) that the instruction is issued, it answers `error`.
struct Fault {
  std::uint32_t instruction = 0;  ///< Its place in `faulty_instructions`.
  std::uint32_t nth = 0;
  Errno error = Errno::INTR;

  static constexpr std::tuple fields{Field{"instruction", &Fault::instruction}, Field{"nth", &Fault::nth},
                                     Field{"error", &Fault::error}};
  bool operator==(const Fault&) const = default;
  [[nodiscard]] std::string_view name() const { return faulty_instructions.at(instruction); }
};

/// The place of an instruction in `faulty_instructions`; their number where it has none.
constexpr std::uint32_t fault_place(std::string_view name) {
  std::uint32_t place = 0;
  while (place < faulty_instructions.size() && faulty_instructions[place] != name) ++place;
  return place;
}

struct Scenario {
  /// Every fault is off and every limit wide; the seed must be said.
  explicit Scenario(std::uint64_t the_seed) : seed(the_seed) {}

  /// Resolves what `choices` do not: 0 takes turns, anything else draws at random.
  std::uint64_t seed;
  std::vector<Script> clients;

  /// The schedule: which of the things that can happen next does, taken modulo their number.
  std::vector<std::uint32_t> choices;
  /// Once all choices are made, so many of the last are made again, and again.
  std::uint32_t comes_round = 0;

  std::vector<Fault> faults;
  std::optional<std::uint32_t> stop_after;  ///< The operator stops the server after that many steps.
  bool short_io = false;                    ///< Recv and Send may carry less than they could.

  /// Deadlines and rests have no length: whoever waits with one may wait no longer at any step. Otherwise time passes
  /// only when nothing else can happen.
  bool free_time = false;

  std::uint32_t capacity = 4096;     ///< Bytes that one direction of a connection holds.
  std::uint32_t max_backlog = 128;   ///< The kernel's own limit on a backlog.
  std::uint32_t max_sockets = 1024;  ///< Sockets that one process may hold.
  std::uint32_t max_processes = 1024;

  std::uint32_t addresses = 1;  ///< So many hosts are the clients on, by turns.

  static constexpr std::tuple fields{Field{"seed", &Scenario::seed},
                                     Field{"clients", &Scenario::clients},
                                     Field{"choices", &Scenario::choices},
                                     Field{"comes_round", &Scenario::comes_round},
                                     Field{"faults", &Scenario::faults},
                                     Field{"stop_after", &Scenario::stop_after},
                                     Field{"short_io", &Scenario::short_io},
                                     Field{"free_time", &Scenario::free_time},
                                     Field{"capacity", &Scenario::capacity},
                                     Field{"max_backlog", &Scenario::max_backlog},
                                     Field{"max_sockets", &Scenario::max_sockets},
                                     Field{"max_processes", &Scenario::max_processes},
                                     Field{"addresses", &Scenario::addresses}};
  static constexpr std::size_t tail = std::tuple_size_v<decltype(fields)> - 1;
  [[nodiscard]] bool tail_is_silent() const { return addresses == 1; }
  bool operator==(const Scenario&) const = default;
};

/// The address of a client, by its place in the scenario: a number below `addresses`.
std::uint32_t address_of(const Scenario& scenario, std::uint32_t client);
/// What that address is on the kernel: 127.0.0.1, 127.0.0.2, …
std::string host_of(std::uint32_t address);

/// What the scenario does, in words, a line for each client and fault.
std::string describe(const Scenario& scenario);

/// The byte that a client sends at a position. Each client has an alphabet (lower case, upper case, digits, signs, in
/// turn), so that a byte which strays to another connection shows.
char payload_byte(std::uint32_t client, std::uint64_t position);
/// So many of them, from a position on.
std::string payload(std::uint32_t client, std::uint64_t from, std::size_t count);
/// The same for a client that sends any number of messages: no two bytes of a period are equal.
char cyclic_byte(std::uint32_t client, std::uint64_t position);

}  // namespace antiphon
