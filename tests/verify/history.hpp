#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/trace.hpp"
#include "verify/judge.hpp"

/// Traces written by hand.

namespace antiphon::verify {

constexpr Socket listener{0};
constexpr Socket client{1};
constexpr Deadline until{.wait_ms = 60'000, .drain_ms = 5'000};

/// What the server of these traces is held to.
inline Expectations expectations(Answers answers = Answers::everything) {
  return {.answers = answers, .idle_ms = 60'000, .drain_ms = 5'000, .at_most = 16'384};
}

inline Recv read() { return {client, 16384, until}; }
inline Send write(std::string_view text) { return {client, Bytes::copy_of(text), until}; }
inline Result<Bytes> bytes(std::string_view text) { return Bytes::copy_of(text); }
inline Result<Unit> done() { return Unit{}; }

/// A trace that grows event by event; the events of each process are numbered here.
class History {
 public:
  template <Instruction I>
  History& on(ProcessId process, const I& instruction, const typename I::Response& response) {
    return add(process, Issued{Exchange<I>{instruction, response}, {}});
  }
  template <Instruction I>
  History& waits(ProcessId process, const I& instruction) {
    return add(process, Issued{Exchange<I>{instruction, {}}, {}});
  }
  History& forks(ProcessId parent, ProcessId child) {
    add(parent, Issued{Exchange<Fork>{{}, Forked(Parent{Pid{100}})}, child});
    return add(child, Issued{Exchange<Fork>{{}, Forked(Child{})}, {}});
  }
  History& ends(ProcessId process, const Result<Unit>& result = Unit{}) { return add(process, Ended{result}); }
  History& by(ClientId who, ClientEvent::Kind kind, std::string_view text = "") {
    events.emplace_back(ClientEvent{who, kind, Bytes::copy_of(text), 0, {}});
    return *this;
  }
  History& accepted(ClientId who, ProcessId process, Socket socket) {
    events.emplace_back(ClientEvent{who, ClientEvent::Kind::accepted, {}, process, socket});
    return *this;
  }
  History& stop() {
    events.emplace_back(StopEvent{});
    return *this;
  }

  std::vector<Event> events;

 private:
  History& add(ProcessId process, std::variant<Issued, Ended> what) {
    events.emplace_back(ProcessEvent{process, numbers_[process]++, std::move(what)});
    return *this;
  }

  std::map<ProcessId, std::uint64_t> numbers_;
};

/// Process 0 listens.
inline History opening() {
  History history;
  return history.on(0, DiscardChildren{}, done())
      .on(0, OpenSocket{{"127.0.0.1", 8888}}, listener)
      .on(0, Listen{listener, 8}, Endpoint{"127.0.0.1", 8888});
}

/// Process 0 listens, has accepted a client and waits for more; process 1 has the client.
inline History serving() {
  return opening()
      .on(0, Accept{listener}, client)
      .forks(0, 1)
      .on(0, Close{client}, done())
      .waits(0, Accept{listener})
      .on(1, Close{listener}, done());
}

/// The same, and process 1 has read the text.
inline History having_read(std::string_view text) { return serving().on(1, read(), bytes(text)); }

/// A conversation in which nothing is wrong.
inline History conversation() {
  return having_read("abc").on(1, write("abc"), 3).on(1, read(), bytes("")).on(1, Close{client}, done()).ends(1);
}

inline Verdict judged(const History& history, const Expectations& expected = expectations()) {
  return judge(history.events, expected);
}

/// The sentence that says how the trace breaks the clause, or "kept".
inline std::string verdict_on(std::string_view clause, const History& history,
                              const Expectations& expected = expectations()) {
  for (const Violation& violation : judged(history, expected).violations) {
    if (violation.clause.name == clause) return violation.sentence;
  }
  return "kept";
}

}  // namespace antiphon::verify
