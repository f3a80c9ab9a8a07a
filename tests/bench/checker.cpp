// How fast a recorded run is read and judged.
//
//   checker [CONNECTIONS [MESSAGES [BYTES [ROUNDS]]]]
//
// Makes the trace of so many connections at a time, each of which echoes so many messages of BYTES bytes, and prints
// one line of JSON for each way to check it: million events a second, and GiB of text a second where there is text.
// Every verdict is checked, and a trace with one wrong byte must be found.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "interpreters/replay.hpp"
#include "interpreters/trace_reader.hpp"
#include "interpreters/trace_text.hpp"
#include "verify/judge.hpp"

namespace antiphon {

namespace {

using Clock = std::chrono::steady_clock;

const ProgramOptions options;
constexpr Socket listener{0};
constexpr Socket client{1};

/// A trace that grows event by event.
class Recorder {
 public:
  template <Instruction I>
  void add(ProcessId process, const I& instruction, typename I::Response response,
           std::optional<ProcessId> child = {}) {
    events.emplace_back(
        ProcessEvent{process, next_[process]++, Issued{Exchange<I>{instruction, std::move(response)}, child}});
  }
  void end(ProcessId process) { events.emplace_back(ProcessEvent{process, next_[process]++, Ended{}}); }
  void make_room(std::size_t processes) { next_.resize(processes); }

  std::vector<Event> events;

 private:
  std::vector<std::uint64_t> next_;
};

std::vector<Event> echoes(std::uint64_t connections, std::uint64_t messages, std::size_t bytes) {
  Recorder trace;
  trace.make_room(connections + 1);
  trace.add(0, DiscardChildren{}, Unit{});
  trace.add(0, OpenSocket{options.server.at}, listener);
  trace.add(0, Listen{listener, options.server.backlog}, options.server.at);
  for (ProcessId child = 1; child <= connections; ++child) {
    trace.add(0, Accept{listener}, client);
    trace.add(0, Fork{}, Forked(Parent{Pid{static_cast<std::int64_t>(child)}}), child);
    trace.add(0, Close{client}, Unit{});
    trace.add(child, Fork{}, Forked(Child{}));
    trace.add(child, Close{listener}, Unit{});
  }
  const Deadline& until = options.session.until;
  std::string text(bytes, ' ');
  for (std::uint64_t message = 0; message < messages; ++message) {
    for (ProcessId child = 1; child <= connections; ++child) {
      for (std::size_t at = 0; at < bytes; ++at) text[at] = static_cast<char>('a' + (at + message + child) % 26);
      const Bytes content = Bytes::copy_of(text);
      trace.add(child, Recv{client, options.session.at_most, until}, content);
      trace.add(child, Send{client, content, until}, content.size());
    }
  }
  for (ProcessId child = 1; child <= connections; ++child) {
    trace.add(child, Recv{client, options.session.at_most, until}, Bytes{});
    trace.add(child, Close{client}, Unit{});
    trace.end(child);
  }
  trace.add(0, Accept{listener}, failed(Errno::STOPPING));
  trace.add(0, Close{listener}, Unit{});
  trace.end(0);
  return std::move(trace.events);
}

verify::Expectations expectations() {
  return {.idle_ms = options.session.until.wait_ms,
          .drain_ms = options.session.until.drain_ms,
          .max_connections = options.server.max_connections,
          .at_most = static_cast<std::int64_t>(options.session.at_most)};
}

void demand(bool truth, const char* what) {
  if (truth) return;
  std::fprintf(stderr, "checker: %s\n", what);
  std::exit(1);
}

verify::Ruling from_memory(const std::vector<Event>& trace) {
  verify::Judge judge(expectations());
  for (const Event& event : trace) judge.see(event);
  return judge.finish().ruling;
}

bool replay(const std::vector<Event>& trace) {
  Replay replay({*program_named("stream", options)});
  for (const Event& event : trace) replay.see(event);
  return !replay.parting() && replay.is_whole();
}

template <class See>
void read_all(const std::string& text, See see) {
  std::istringstream in(text);
  TraceReader reader(in);
  demand(reader.header().has_value(), "the header does not read");
  for (;;) {
    const auto event = reader.next();
    demand(event.has_value(), "the trace does not read");
    if (!*event) return;
    see(**event);
  }
}

/// A byte of a Send in the middle is not what was received.
void spoil_one(std::vector<Event>& trace, std::size_t bytes) {
  for (std::size_t at = trace.size() / 2; at < trace.size(); ++at) {
    auto* const send = exchange_of<Send>(std::get<ProcessEvent>(trace[at]));
    if (send == nullptr) continue;
    send->instruction.bytes = Bytes::copy_of(std::string(bytes, '!'));
    return;
  }
}

template <class Work>
void time(const char* what, std::size_t events, std::size_t text, int rounds, Work work) {
  std::vector<double> seconds;
  for (int round = 0; round < rounds; ++round) {
    const Clock::time_point start = Clock::now();
    work();
    seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::ranges::sort(seconds);
  const double median = seconds[seconds.size() / 2];
  std::printf(R"({"what": "%s", "events": %zu, "million_events_per_s": %.2f, "gib_per_s": %.3f})"
              "\n",
              what, events, static_cast<double>(events) / median / 1e6,
              static_cast<double>(text) / median / (1 << 30U));
}

int check(std::uint64_t connections, std::uint64_t messages, std::size_t bytes, int rounds) {
  const std::vector<Event> trace = echoes(connections, messages, bytes);
  std::string text = header_line({.program = "stream", .interpreter = "bench"}) + '\n';
  for (const Event& event : trace) append_line(text, event);

  std::vector<Event> wrong = trace;
  spoil_one(wrong, bytes);
  demand(from_memory(wrong) == verify::Ruling::violated, "the canary was not found");

  const std::size_t events = trace.size();
  time("judge", events, 0, rounds, [&] { demand(from_memory(trace) == verify::Ruling::holds, "the judge is wrong"); });
  time("replay", events, 0, rounds, [&] { demand(replay(trace), "the replay is wrong"); });
  time("read", events, text.size(), rounds, [&] { read_all(text, [](const Event&) {}); });
  time("read and judge", events, text.size(), rounds, [&] {
    verify::Judge judge(expectations());
    read_all(text, [&](const Event& event) { judge.see(event); });
    demand(judge.finish().ruling == verify::Ruling::holds, "the judge is wrong");
  });
  return 0;
}

}  // namespace

}  // namespace antiphon

int main(int count, char** values) {
  const auto number = [&](int place, std::uint64_t otherwise) {
    return count > place ? std::strtoull(values[place], nullptr, 10) : otherwise;
  };
  return antiphon::check(number(1, 64), number(2, 2000), number(3, 64), static_cast<int>(number(4, 5)));
}
