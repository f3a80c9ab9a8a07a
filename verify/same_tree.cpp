#include "verify/same_tree.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <concepts>
#include <cstdint>
#include <deque>
#include <unordered_set>
#include <utility>

#include "core/process.hpp"
#include "interpreters/responses.hpp"
#include "verify/alike.hpp"

namespace antiphon::verify {

namespace {

using Running = Process<Net, Result<Unit>, Identified>;

/// A number that no program makes up by itself.
constexpr std::int64_t first_pid = 1'000'000;
/// A program that holds more sockets at a time is not followed.
constexpr int most_sockets = 64;

/// Both programs, which have issued and been answered the same.
struct Pair {
  Running one;
  Running other;
  std::bitset<most_sockets> sockets;  ///< The names that they hold.
  bool has_alarm = false;
};

/// Runs both side by side. Each pair of states is given messages of its own, so one that came earlier is never taken
/// for it; a program that keeps more and more of them has too many states. Sockets have the lowest free name, as
/// interpreters give it.
class SideBySide {
 public:
  explicit SideBySide(std::size_t most_states) : most_states_(most_states) {}

  bool run(const Server& one, const Server& other) {
    const std::uint64_t looks_before = looks();
    arrive({Running(one), Running(other), {}, false});
    while (same_ && !waiting_.empty()) {
      const Pair pair = take_one();
      pair.one.pending([&](const auto& instruction) { answer_all(pair, instruction); });
    }
    return same_ && looks() == looks_before;
  }

 private:
  using Key = std::array<std::uint64_t, 6>;
  struct Hash {
    std::size_t operator()(const Key& key) const { return static_cast<std::size_t>(key[0] + 31 * key[2] + key[4]); }
  };

  /// The oldest and the youngest in turn: a difference that is near is soon found, and so is one that is deep.
  Pair take_one() {
    const bool oldest = ++number_ % 2 == 0;
    Pair pair = std::move(oldest ? waiting_.front() : waiting_.back());
    if (oldest) {
      waiting_.pop_front();
    } else {
      waiting_.pop_back();
    }
    return pair;
  }

  void arrive(Pair pair) {
    if (!same_) return;
    same_ = alike(pair.one, pair.other);
    if (!same_ || pair.one.finished()) return;
    const Digest& one = pair.one.digest();
    const Digest& other = pair.other.digest();
    const Key key{one.low(), one.high(), other.low(), other.high(), pair.sockets.to_ullong(), pair.has_alarm ? 1U : 0U};
    if (!seen_.insert(key).second) return;
    same_ = seen_.size() <= most_states_;
    waiting_.push_back(std::move(pair));
  }

  static bool alike(const Running& one, const Running& other) {
    if (one.finished() || other.finished()) {
      return one.finished() && other.finished() && one.result() == other.result();
    }
    return issue_the_same(one, other);
  }

  template <Instruction I>
  void answer(const Pair& pair, const I& instruction, const typename I::Response& response) {
    if (!same_) return;
    Pair next = pair;
    if constexpr (std::same_as<typename I::Response, Result<Socket>>) {
      if (response) next.sockets.set(static_cast<std::size_t>(response->number));
    } else if constexpr (std::same_as<I, Close>) {
      const int name = instruction.socket.number;
      if (name >= 0 && name < most_sockets) next.sockets.reset(static_cast<std::size_t>(name));
    }
    next.has_alarm = has_alarm_after(pair.has_alarm, instruction, response);
    next.one.template answer<I>(response);
    next.other.template answer<I>(response);
    arrive(std::move(next));
  }

  template <Instruction I>
  void answer_all(const Pair& pair, const I& instruction) {
    const auto give = [&](const typename I::Response& response) { answer(pair, instruction, response); };
    give_successes(pair, instruction, give);
    for_each_failure(instruction, pair.has_alarm, [&](Errno error) { give(failed(error)); });
  }

  template <class I>
    requires std::same_as<typename I::Response, Result<Unit>>
  void give_successes(const Pair&, const I&, const auto& give) const {
    give(Unit{});
  }
  template <class I>
    requires std::same_as<typename I::Response, Result<Socket>>
  void give_successes(const Pair& pair, const I&, const auto& give) {
    int name = 0;
    while (name < most_sockets && pair.sockets.test(static_cast<std::size_t>(name))) ++name;
    same_ &= name < most_sockets;
    if (same_) give(Socket{name});
  }
  void give_successes(const Pair&, const Listen&, const auto& give) const { give(Endpoint{"192.0.2.1", 49'152}); }
  void give_successes(const Pair&, const Fork&, const auto& give) const {
    give(Forked(Parent{Pid{first_pid + static_cast<std::int64_t>(number_)}}));
    give(Forked(Child{}));
  }
  void give_successes(const Pair&, const Recv& recv, const auto& give) const {
    const std::size_t full = std::min(recv.at_most, longest_message);
    give(Bytes());
    if (full > 0) give(message_of_any_content(2 * number_, full));
    if (full > 1) give(message_of_any_content(2 * number_ + 1, 1));
  }
  void give_successes(const Pair&, const Send& send, const auto& give) const {
    const std::size_t size = send.bytes.size();
    give(size);
    if (size > 1) give(size - 1);
  }

  std::size_t most_states_;
  bool same_ = true;
  std::uint32_t number_ = 0;  ///< Of the pair that is answered.
  std::unordered_set<Key, Hash> seen_;
  std::deque<Pair> waiting_;
};

}  // namespace

bool same_tree(const Server& one, const Server& other, std::size_t most_states) {
  return SideBySide(most_states).run(one, other);
}

}  // namespace antiphon::verify
