#include "interpreters/program_walk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <cstring>
#include <optional>
#include <range/v3/algorithm/move.hpp>
#include <range/v3/iterator/insert_iterators.hpp>
#include <range/v3/view/reverse.hpp>
#include <unordered_map>

#include "core/place.hpp"
#include "core/process.hpp"
#include "interpreters/responses.hpp"

namespace antiphon {

namespace {

using State = Process<Net, Result<Unit>, Identified>;
using Target = ProgramGraph::Target;

// -- What the world gives ---------------------------------------------------------------------

/// Numbers that no program makes up by itself. The point that gives a name is added to it.
constexpr int first_socket = 1'000'000;
constexpr std::int64_t first_pid = 1'000'000;

/// The port that whoever asks for any port gets.
constexpr std::uint16_t any_port = 49152;

/// The messages that were given. Each stands for any content of its size, and has a name by which digests know it.
class Messages {
 public:
  Bytes give(std::size_t point, std::size_t size) {
    Bytes& message = by_point_[{point, size}];
    if (message.empty()) {
      message = message_of_any_content(static_cast<std::uint32_t>(by_point_.size()), size);
      givers_.emplace(message.buffer(), point);
    }
    return message;
  }

  /// The symbol of a slice of a message; any other bytes as text.
  [[nodiscard]] SeenValue value_of(const Bytes& bytes) const;

 private:
  std::map<std::pair<std::size_t, std::size_t>, Bytes> by_point_;
  std::unordered_map<const Buffer*, std::size_t> givers_;
};

// -- Values as text ---------------------------------------------------------------------------

std::string words_of(const Deadline& until) {
  const bool waits_for_ever = until.wait_ms == forever_ms;
  const std::string idle = waits_for_ever ? "" : duration(until.wait_ms) + " idle";
  if (until.drain_ms == forever_ms) return waits_for_ever ? "unlimited" : idle;
  const std::string stop = until.drain_ms == 0 ? "stop" : duration(until.drain_ms) + " after stop";
  return waits_for_ever ? stop : idle + ", " + stop;
}

/// The bytes between quotes, with what does not print as escapes. Long ones are cut.
std::string quoted(std::string_view bytes) {
  constexpr std::size_t most_shown = 64;
  std::string text = "\"";
  for (const char character : bytes.substr(0, most_shown)) {
    const auto code = static_cast<unsigned char>(character);
    if (character == '\n') {
      text += "\\n";
    } else if (character == '\r') {
      text += "\\r";
    } else if (character == '"' || character == '\\') {
      text += {'\\', character};
    } else if (code < 0x20 || code >= 0x7F) {
      text += fmt::format("\\x{:02x}", code);
    } else {
      text += character;
    }
  }
  text += '"';
  if (bytes.size() > most_shown) {
    // The digest tells apart what the part that is shown does not.
    Digest digest;
    digest.add_text(bytes);
    text += fmt::format(" and {} bytes more ({:016x})", bytes.size() - most_shown, digest.low());
  }
  return text;
}

SeenValue Messages::value_of(const Bytes& bytes) const {
  const auto giver = givers_.find(bytes.buffer());
  if (giver == givers_.end()) return quoted(bytes.content());
  const bool from_start = bytes.offset() == 0;
  const bool to_end = bytes.offset() + bytes.size() == giver->first->capacity;
  const auto part = from_start ? (to_end ? Symbol::Part::whole : Symbol::Part::front)
                               : (to_end ? Symbol::Part::rest : Symbol::Part::middle);
  return Symbol{giver->second, part};
}

// -- The walk ---------------------------------------------------------------------------------

struct DigestHash {
  std::size_t operator()(const Digest& digest) const { return digest.low(); }
};

/// Feeds responses to states until no new one is found.
class Walker {
 public:
  explicit Walker(const GraphLimits& limits) : limits_(limits) {}

  Walk walk(const Server& program) {
    const Target start = arrive(State(program), {}, false);
    // Depth first, so that a loop which counts comes to its end before the limit is used up.
    while (!found_.empty()) {
      ranges::move(found_ | ranges::views::reverse, ranges::back_inserter(waiting_));
      found_.clear();
      while (found_.empty() && !waiting_.empty()) {
        const Arrived at = std::move(waiting_.back());
        waiting_.pop_back();
        at.state.pending([&](const auto& instruction) { feed_all(at, instruction); });
      }
    }
    return {start, std::move(points_), std::move(places_)};
  }

 private:
  struct Arrived {
    State state;
    std::size_t point;
    SocketNames names;
    bool has_alarm;
  };

  // Arriving.

  /// What the future depends on.
  static Digest key_of(const State& state, bool has_alarm) {
    Digest key = state.digest();
    if (has_alarm) key.add_text(Alarm::name);
    return key;
  }

  Target arrive(State state, SocketNames names, bool has_alarm) {
    if (state.finished()) return state.result() ? End::ok : End::error;
    const Digest key = key_of(state, has_alarm);
    if (const auto seen = seen_.find(key); seen != seen_.end()) return seen->second;
    const std::optional<std::size_t> index = point_of(state, names);
    if (!index) return End::not_followed;
    Point& point = points_[*index];
    state.pending([&](const auto& instruction) { note_operands(point, instruction); });
    if (point.states == limits_.most_states_of_a_point) {
      point.more_states = true;
      return *index;
    }
    ++point.states;
    seen_.emplace(key, *index);
    found_.push_back({std::move(state), *index, std::move(names), has_alarm});
    return *index;
  }

  std::optional<std::size_t> point_of(const State& state, const SocketNames& names) {
    const auto [place, is_new] = places_.try_emplace(place_of(state), points_.size());
    if (!is_new) return place->second;
    if (points_.size() == limits_.most_points) {
      places_.erase(place);
      return std::nullopt;
    }
    state.pending([&]<class I>(const I& instruction) {
      Point point{I::name, place->first, names, {}, {}};
      for_each_field(instruction, [&](std::string_view name, const auto&) {
        point.operands.emplace_back(name, std::set<SeenValue>());
      });
      points_.push_back(std::move(point));
    });
    return place->second;
  }

  void note_operands(Point& point, const auto& instruction) const {
    auto operand = point.operands.begin();
    const auto left_out = has_silent_tail(instruction) ? operand + head_size<std::remove_cvref_t<decltype(instruction)>>
                                                       : point.operands.end();
    for_each_field(instruction, [&](std::string_view, const auto& value) {
      if (operand < left_out) operand->second.insert(value_of(value));
      ++operand;
    });
  }

  SeenValue value_of(const Bytes& bytes) const { return messages_.value_of(bytes); }
  SeenValue value_of(const Endpoint& endpoint) const { return text_of(endpoint); }
  SeenValue value_of(const Deadline& until) const { return words_of(until); }
  SeenValue value_of(std::integral auto number) const { return static_cast<std::int64_t>(number); }
  SeenValue value_of(const Socket& socket) const {
    if (!given_.contains(socket)) return fmt::format("socket {}", socket.number);
    return Symbol{static_cast<std::size_t>(socket.number - first_socket), Symbol::Part::whole};
  }

  // Names, as interpreters give them: the lowest that is free.

  template <Instruction I>
  static SocketNames names_after(const Arrived& at, const typename I::Response& response) {
    SocketNames names = at.names;
    if constexpr (std::same_as<typename I::Response, Result<Socket>>) {
      if (!response) return names;
      const auto free = std::ranges::find(names, std::optional<std::size_t>());
      if (free != names.end()) {
        *free = at.point;
      } else {
        names.emplace_back(at.point);
      }
    } else if constexpr (std::same_as<I, Close>) {
      at.state.pending([&]<class Other>(const Other& instruction) {
        if constexpr (std::same_as<Other, Close>) {
          const auto giver = static_cast<std::size_t>(instruction.socket.number - first_socket);
          std::ranges::replace(names, std::optional(giver), std::optional<std::size_t>());
        }
      });
    }
    return names;
  }

  // Answering.

  template <Instruction I>
  void feed(const Arrived& at, ResponseClass what, const typename I::Response& response) {
    State next = at.state;
    bool has_alarm = at.has_alarm;
    next.pending([&](const auto& issued) {
      if constexpr (std::same_as<std::remove_cvref_t<decltype(issued)>, I>) {
        has_alarm = has_alarm_after(has_alarm, issued, response);
      }
    });
    const std::uint64_t looks_before = looks();
    next.answer<I>(response);
    if (looks() != looks_before) points_[at.point].looks_at_content = true;
    const Target target = arrive(std::move(next), names_after<I>(at, response), has_alarm);
    points_[at.point].targets[what].insert(target);
  }

  template <Instruction I>
  void feed_all(const Arrived& at, const I& instruction) {
    feed_successes(at, instruction);
    for_each_failure(instruction, at.has_alarm, [&](Errno error) { feed<I>(at, error, failed(error)); });
  }

  template <Instruction I>
    requires std::same_as<typename I::Response, Result<Unit>>
  void feed_successes(const Arrived& at, const I&) {
    feed<I>(at, Success::done, Unit{});
  }

  template <Instruction I>
    requires std::same_as<typename I::Response, Result<Socket>>
  void feed_successes(const Arrived& at, const I& instruction) {
    const Socket socket{first_socket + static_cast<int>(at.point)};
    given_.insert(socket);
    if constexpr (std::same_as<I, OpenSocket>) addresses_[socket] = instruction.at;
    feed<I>(at, Success::given, socket);
  }

  void feed_successes(const Arrived& at, const Listen& instruction) {
    const auto opened = addresses_.find(instruction.listener);
    Endpoint address = opened == addresses_.end() ? Endpoint{"0.0.0.0", 0} : opened->second;
    if (address.port == 0) address.port = any_port;
    feed<Listen>(at, Success::done, address);
  }

  void feed_successes(const Arrived& at, const Recv& instruction) {
    const std::size_t full = std::min(instruction.at_most, longest_message);
    if (full > 1) feed<Recv>(at, Success::short_message, messages_.give(at.point, 1));
    if (full > 0) feed<Recv>(at, Success::full_message, messages_.give(at.point, full));
    feed<Recv>(at, Success::end_of_input, Bytes());
  }

  void feed_successes(const Arrived& at, const Send& instruction) {
    const std::size_t size = instruction.bytes.size();
    feed<Send>(at, Success::all_sent, size);
    if (size > 1) feed<Send>(at, Success::part_sent, size - 1);
  }

  void feed_successes(const Arrived& at, const Fork&) {
    const Pid pid{first_pid + static_cast<std::int64_t>(at.point)};
    feed<Fork>(at, Success::parent, Forked(Parent{pid}));
    feed<Fork>(at, Success::child, Forked(Child{}));
  }

  GraphLimits limits_;
  std::vector<Point> points_;
  std::map<Place, std::size_t> places_;
  std::unordered_map<Digest, std::size_t, DigestHash> seen_;  ///< The point of each state.
  std::vector<Arrived> waiting_;                              ///< States to feed, the next one last.
  std::vector<Arrived> found_;                                ///< States that the last one led to, the next one first.
  Messages messages_;
  std::set<Socket> given_;
  std::map<Socket, Endpoint> addresses_;
};

}  // namespace

std::string duration(std::int64_t wait_ms) {
  return wait_ms % 1000 == 0 ? fmt::format("{} s", wait_ms / 1000) : fmt::format("{} ms", wait_ms);
}

Walk walk(const Server& program, const GraphLimits& limits) { return Walker(limits).walk(program); }

}  // namespace antiphon
