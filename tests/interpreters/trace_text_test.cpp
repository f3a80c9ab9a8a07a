#include "interpreters/trace_text.hpp"

#include <algorithm>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "interpreters/trace_reader.hpp"
#include "tests/interpreters/trace_samples.hpp"
#include "tests/rapidcheck.hpp"

namespace antiphon {
namespace {

const TraceHeader header{"stream", "fork", 60'000, 5'000};

/// The events of a trace, or "line N: what".
struct Outcome {
  std::vector<Event> events;
  std::string bad;
  bool cut = false;
};

Outcome read_trace(const std::string& text) {
  std::istringstream in(text);
  TraceReader reader(in);
  Outcome outcome;
  const auto note = [&](const BadInput& bad) { outcome.bad = "line " + std::to_string(bad.line) + ": " + bad.what; };
  if (const auto found = reader.header(); !found) {
    note(found.error());
  } else {
    for (;;) {
      auto next = reader.next();
      if (!next) note(next.error());
      if (!next || !*next) break;
      outcome.events.push_back(**std::move(next));
    }
  }
  outcome.cut = reader.cut();
  return outcome;
}

std::string in_trace(const std::string& line) { return header_line(header) + '\n' + line + '\n'; }

TEST(TraceText, HasOneTextForEachValue) {
  for (const Sample& sample : samples()) {
    const std::string start = sample.line.front() == ',' ? R"({"process":0,"event":0)" : "";
    EXPECT_EQ(event_line(sample.event), start + sample.line);
  }
}

TEST(TraceText, HasATextForAnInstructionByItself) {
  EXPECT_EQ(instruction_line(Exchange<Close>{{Socket{1}}, Unit{}}), R"({"do":"Close","socket":1})");
  EXPECT_EQ(instruction_line(Exchange<DiscardChildren>{}), R"({"do":"DiscardChildren"})");
}

TEST(TraceText, ReadsBackEverySample) {
  for (const Sample& sample : samples()) {
    const Outcome outcome = read_trace(in_trace(event_line(sample.event)));
    EXPECT_EQ(outcome.bad, "") << sample.line;
    ASSERT_EQ(outcome.events.size(), 1U) << sample.line;
    EXPECT_TRUE(outcome.events[0] == sample.event) << sample.line;
    EXPECT_FALSE(outcome.cut);
  }
}

TEST(TraceText, WritesAndReadsTheHeader) {
  EXPECT_EQ(header_line(header),
            R"({"antiphon":"trace","version":2,"program":"stream","interpreter":"fork","idle_ms":60000,)"
            R"("drain_ms":5000,"max_connections":null,"at":{"host":"127.0.0.1","port":8888},)"
            R"("bound":{"host":"127.0.0.1","port":8888},"backlog":0,)"
            R"("at_most":0,"workers":1,"run":0,"part":0})");
  TraceHeader limited = header;
  limited.max_per_address = 3;
  EXPECT_TRUE(header_line(limited).ends_with(R"("part":0,"max_per_address":3,"progress_ms":null})"));
  TraceHeader hurried = header;
  hurried.progress_ms = 30'000;
  EXPECT_TRUE(header_line(hurried).ends_with(R"("part":0,"max_per_address":null,"progress_ms":30000})"));
  for (const TraceHeader& one : {header, limited, hurried, TraceHeader{"\"", "\\ ", forever_ms, 0}}) {
    std::istringstream in(header_line(one) + '\n');
    EXPECT_EQ(TraceReader(in).header(), one);
  }
  EXPECT_NE(header_line({"", "", forever_ms, 0}).find(R"("idle_ms":null)"), std::string::npos);
}

TEST(TraceText, ALimitThatTheHeaderLacksIsNone) {
  const auto header_with = [](const std::string& limits) {
    std::istringstream in(header_line(header).substr(0, header_line(header).size() - 1) + limits + "}\n");
    return TraceReader(in).header();
  };
  TraceHeader expected = header;
  EXPECT_EQ(header_with(""), expected);
  expected.max_per_address = 3;
  EXPECT_EQ(header_with(R"(,"max_per_address":3)"), expected);
  expected = header;
  expected.progress_ms = 30'000;
  EXPECT_EQ(header_with(R"(,"progress_ms":30000)"), expected);
  EXPECT_FALSE(header_with(R"(,"progress_ms":"soon")").has_value());
}

TEST(TraceText, TakesFieldsInAnyOrderAndWhiteSpace) {
  const Outcome outcome = read_trace(in_trace(R"( { "listener" : 0, "answer" : 1, "do":"Accept","event":0,"process":0})"
                                              "\r"));
  EXPECT_EQ(outcome.bad, "");
  EXPECT_TRUE(outcome.events.at(0) == event(Accept{Socket{0}}, Socket{1}));
}

// -- Generated events --------------------------------------------------------------------------------------------

template <class T>
T arbitrary();

template <class T>
T arbitrary_response() {
  if constexpr (std::same_as<T, Forked>) {
    return Parent{Pid{arbitrary<std::int64_t>()}};  // Child is the start of a process, and so has a test of its own.
  } else {
    return arbitrary<T>();
  }
}

template <class T>
T arbitrary() {
  if constexpr (std::same_as<T, Bytes>) {
    const bool is_text = *rc::gen::arbitrary<bool>();
    return Bytes::copy_of(is_text ? *rc::gen::container<std::string>(rc::gen::inRange(' ', '~'))
                                  : *rc::gen::arbitrary<std::string>());
  } else if constexpr (std::same_as<T, std::string>) {
    return *rc::gen::container<std::string>(rc::gen::inRange(char{0}, char{127}));
  } else if constexpr (Described<T>) {
    T value{};
    for_each_field(value,
                   [](std::string_view, auto& member) { member = arbitrary<std::remove_cvref_t<decltype(member)>>(); });
    return value;
  } else if constexpr (std::integral<T>) {
    return *rc::gen::oneOf(rc::gen::arbitrary<T>(),
                           rc::gen::element(T{0}, std::numeric_limits<T>::max(), std::numeric_limits<T>::min()));
  } else {
    return T{};
  }
}

Errno arbitrary_errno() {
  const Errno named = *rc::gen::element(Errno::INTR, Errno::CONNRESET, Errno::EXPIRED, Errno::STOPPING);
  return *rc::gen::oneOf(rc::gen::just(named), rc::gen::map(rc::gen::inRange(1, 5000), [](int e) { return Errno{e}; }));
}

template <Instruction I>
AnyExchange<Net> arbitrary_exchange() {
  Exchange<I> exchange{arbitrary<I>(), {}};
  switch (*rc::gen::inRange(0, 3)) {
    case 0:
      break;
    case 1:
      exchange.response = failed(arbitrary_errno());
      break;
    default:
      exchange.response = arbitrary_response<typename I::Response::value_type>();
  }
  return exchange;
}

template <Instruction... Is>
AnyExchange<Net> any_exchange(Effects<Is...>) {
  using Make = AnyExchange<Net> (*)();
  constexpr Make makers[] = {&arbitrary_exchange<Is>...};
  return makers[*rc::gen::inRange<std::size_t>(0, sizeof...(Is))]();
}

Event arbitrary_event(std::uint64_t number) {
  Issued issued{any_exchange(Net{}), {}};
  const auto* fork = std::get_if<Exchange<Fork>>(&issued.exchange);
  if (fork != nullptr && fork->response && *fork->response) issued.child = arbitrary<ProcessId>();
  return ProcessEvent{0, number, issued};
}

TEST(TraceText, ReadsBackWhatItWrites) {
  EXPECT_TRUE(holds([] {
    std::string text = header_line(header) + '\n';
    std::vector<Event> events;
    const auto count = *rc::gen::inRange<std::uint64_t>(0, 6);
    for (std::uint64_t number = 0; number < count; ++number) {
      events.push_back(arbitrary_event(number));
      append_line(text, events.back());
    }
    const Outcome outcome = read_trace(text);
    RC_ASSERT(outcome.bad == "");
    RC_ASSERT(!outcome.cut);
    std::string again = header_line(header) + '\n';
    for (const Event& one : outcome.events) append_line(again, one);
    RC_ASSERT(again == text);
    RC_ASSERT(outcome.events == events);
  }));
}

TEST(TraceText, ReadsBackEveryClientEvent) {
  for (int kind = 0; kind <= static_cast<int>(ClientEvent::Kind::stopped_reading); ++kind) {
    ClientEvent client{3, static_cast<ClientEvent::Kind>(kind), {}, 0, {}};
    const Outcome outcome = read_trace(in_trace(event_line(client)));
    EXPECT_EQ(outcome.bad, "");
    EXPECT_TRUE(outcome.events.at(0) == Event(client)) << name_of(client.kind);
  }
}

// -- The end, and bad input --------------------------------------------------------------------------------------

TEST(TraceText, ACutTailIsNotBadInput) {
  std::string text = header_line(header) + '\n';
  const std::size_t body = text.size();
  for (std::uint64_t number = 0; number < 3; ++number) {
    append_line(text, ProcessEvent{0, number, Issued{Exchange<Sleep>{{5}, Unit{}}, {}}});
  }
  for (std::size_t size = 1; size <= text.size(); ++size) {
    const std::string head = text.substr(0, size);
    const Outcome outcome = read_trace(head);
    EXPECT_EQ(outcome.cut, head.back() != '\n') << head;
    EXPECT_EQ(outcome.bad, size < body ? "line 1: the trace is cut off in its header" : "") << head;
    const auto lines = static_cast<std::size_t>(std::ranges::count(head, '\n'));
    EXPECT_EQ(outcome.events.size(), lines == 0 ? 0 : lines - 1) << head;
  }
}

TEST(TraceText, AnEndStaysTheEnd) {
  std::istringstream in(header_line(header) + "\n{");
  TraceReader reader(in);
  ASSERT_TRUE(reader.header().has_value());
  for (int again = 0; again < 3; ++again) {
    const auto next = reader.next();
    ASSERT_TRUE(next.has_value());
    EXPECT_FALSE(next->has_value());
    EXPECT_TRUE(reader.cut());
  }
}

TEST(TraceText, WhatIsNoTraceIsRefused) {
  const std::string not_ours = "line 1: not a trace: the first line is not a trace's header";
  const auto with = [](const std::string& from, const std::string& to) {
    std::string line = header_line(header) + '\n';
    return line.replace(line.find(from), from.size(), to);
  };
  const std::pair<std::string, std::string> refused[] = {
      {"", "line 1: the file is empty"},
      {"\n", not_ours},
      {"hello\n", not_ours},
      {"hello", not_ours},
      {"{}\n", not_ours},
      {"[1]\n", not_ours},
      {R"({"antiphon":"scenario"})"
       "\n",
       not_ours},
      {std::string("\x7f"
                   "ELF\0\0\n",
                   7),
       not_ours},
      {std::string("\0", 1), not_ours},
      {with(R"("version":2)", R"("version":1)"), "line 1: a trace of version 1, and this program reads version 2"},
      {with(R"("version":2,)", ""), "line 1: the header has no field 'version'"},
      {with(R"("version":2)", R"("version":"2")"), "line 1: the field 'version' is not a number"},
      {with(R"(,"drain_ms":5000)", ""), "line 1: the header has no field 'drain_ms'"},
      {with(R"(5000)", R"(5000,"more":1)"), "line 1: the field 'more' does not belong in the header"},
      {with(R"("stream")", "7"), "line 1: the field 'program' is not a text"},
      {with(R"("workers":1)", R"("workers":0)"), "line 1: the field 'workers' is not a number from 1 to 1024: 0"},
      {with(R"("workers":1)", R"("workers":1025)"), "line 1: the field 'workers' is not a number from 1 to 1024: 1025"},
      {with(R"("drain_ms":5000)", R"("drain_ms":-1)"), "line 1: the field 'drain_ms' is below 0: -1"},
      {with(R"("stream")", R"("\u001b[1Kstream")"), "line 1: the field 'program' holds a byte that cannot be printed"},
      {with(R"("stream")", R"("\nholds: ")"), "line 1: the field 'program' holds a byte that cannot be printed"},
  };
  for (const auto& [text, bad] : refused) {
    const Outcome outcome = read_trace(text);
    EXPECT_EQ(outcome.bad, bad) << text;
    EXPECT_FALSE(outcome.cut) << text;
  }
}

TEST(TraceText, AFileThatCannotBeReadIsRefused) {
  std::istringstream in("{");
  in.setstate(std::ios::badbit);
  EXPECT_EQ(TraceReader(in).header(), std::unexpected(BadInput{1, "the file cannot be read"}));
}

TEST(TraceText, AnEventThatIsNoneIsRefused) {
  const std::string start = R"({"process":0,"event":0,)";
  const std::pair<std::string, std::string> refused[] = {
      {"", "not JSON from column 1 on"},
      {"garbage", "not JSON from column 1 on"},
      {"7", "the event is not an object"},
      {"[]", "the event is not an object"},
      {"{}", "the event has no field 'process'"},
      {R"({"process":0})", "the event has no field 'event'"},
      {R"({"stop":true} {)", "not JSON from column 15 on"},
      {std::string(R"({"stop":true})") + '\0', "a NUL byte: this is no text"},
      {"{\"client\":1,\"did\":\"\xff\"}", "not JSON from column 20 on"},
      {start + R"("event":0,"end":"ok"})", "the field 'event' stands twice"},
      {start + R"("do":"Recv","until":{"wait_ms":1,"wait_ms":2}})", "the field 'wait_ms' stands twice"},
      {start + R"("end":"fine"})", "the field 'end': no errno is called 'fine'"},
      {start + R"("end":"ok","answer":"ok"})", "the field 'answer' does not belong in the event"},
      {start + R"("end":0})", "the field 'end' is not a text"},
      {start + R"("do":"Retry"})", "there is no instruction 'Retry'"},
      {start + R"("do":["Sleep"]})", "the field 'do' is not a text"},
      {start + R"("do":"a\nb"})", "there is no instruction 'a?b'"},
      {start + R"("do":"Sleep","answer":"ok"})", "the event has no field 'wait_ms'"},
      {start + R"("do":"Sleep","wait_ms":1})", "the event has none of the fields 'answer', 'error', 'pending'"},
      {start + R"("do":"Sleep","wait_ms":1,"pending":false})", "the field 'pending' can only be true"},
      {start + R"("do":"Sleep","wait_ms":1,"answer":"well"})", R"(the field 'answer' is not "ok")"},
      {start + R"("do":"Sleep","wait_ms":1,"error":"E"})", "the field 'error': no errno is called 'E'"},
      {start + R"("do":"Sleep","wait_ms":1,"error":"EINTR","answer":"ok"})",
       "the field 'error' does not belong in the event"},
      {start + R"("do":"Sleep","wait_ms":1,"answer":"ok","wait":1})", "the field 'wait' does not belong in the event"},
      {start + R"("do":"Sleep","wait_ms":1,"answer":"ok","child":1})",
       "the field 'child' does not belong in the event"},
      {start + R"("do":"Sleep","wait_ms":"1","answer":"ok"})", "the field 'wait_ms' is not a number"},
      {start + R"("do":"Sleep","wait_ms":1.5,"answer":"ok"})",
       "the field 'wait_ms' is not a whole number from -9223372036854775808 to 9223372036854775807: 1.5"},
      {start + R"("do":"Sleep","wait_ms":9223372036854775808,"answer":"ok"})",
       "the field 'wait_ms' is not a whole number from -9223372036854775808 to 9223372036854775807: "
       "9223372036854775808"},
      {start + R"("do":"Sleep","wait_ms":1e999,"answer":"ok"})", "a number that is beyond all bounds"},
      {start + R"("do":"Accept","listener":null,"answer":1})", "the field 'listener' is not a number"},
      {start + R"("do":"OpenSocket","at":{"host":"a","port":65536},"answer":0})",
       "the field 'port' is not a whole number from 0 to 65535: 65536"},
      {start + R"("do":"OpenSocket","at":{"host":"a"},"answer":0})", "at has no field 'port'"},
      {start + R"("do":"OpenSocket","at":"a","answer":0})", "at is not an object"},
      {start + R"("do":"OpenSocket","at":{"host":"a","port":1,"path":"/"},"answer":0})",
       "the field 'path' does not belong in at"},
      {start + R"("do":"Fork","at_most":null,"answer":{"parent":1}})", "the event has no field 'child'"},
      {start + R"("do":"Fork","at_most":null,"answer":"twin"})",
       R"(the field 'answer' is neither "child" nor a parent)"},
      {start + R"("do":"Recv","from":1,"at_most":1,"until":{"wait_ms":1,"drain_ms":1},"answer":{"text":"é"}})",
       "the field 'text' holds a byte that belongs in 'hex'"},
      {start + R"("do":"Recv","from":1,"at_most":1,"until":{"wait_ms":1,"drain_ms":1},"answer":{"hex":"0"}})",
       "the field 'hex' does not hold pairs of the digits 0123456789abcdef"},
      {start + R"("do":"Recv","from":1,"at_most":1,"until":{"wait_ms":1,"drain_ms":1},"answer":{"hex":"0G"}})",
       "the field 'hex' does not hold pairs of the digits 0123456789abcdef"},
      {start + R"("do":"Recv","from":1,"at_most":1,"until":{"wait_ms":1,"drain_ms":1},"answer":{"hex":"","text":""}})",
       "the field 'hex' does not belong in answer"},
      {start + R"("do":"Recv","from":1,"at_most":1,"until":{"wait_ms":1,"drain_ms":1},"answer":{}})",
       "answer has no field 'hex'"},
      {start + R"("do":"Recv","from":1,"at_most":1,"until":{"wait_ms":1,"drain_ms":1},"answer":)" +
           R"({"digest":"2147483648:0000000000000001,2147483648:0000000000000002"}})",
       "the field 'digest' does not hold stretches SIZE:CRC, 2 at most, of 2147483648 bytes at most"},
      {R"({"client":1,"did":"slept"})", "a client cannot have 'slept'"},
      {R"({"client":4294967296,"did":"closed"})",
       "the field 'client' is not a whole number from 0 to 4294967295: 4294967296"},
      {R"({"client":1,"did":"closed","bytes":{"text":""}})", "the field 'bytes' does not belong in the event"},
      {R"({"stop":1})", "the field 'stop' can only be true"},
      {R"({"process":-1,"event":0,"end":"ok"})",
       "the field 'process' is not a whole number from 0 to 18446744073709551615: -1"},
  };
  for (const auto& [line, bad] : refused) EXPECT_EQ(read_trace(in_trace(line)).bad, "line 2: " + bad) << line;
}

std::string slept(ProcessId process, std::uint64_t number) {
  return event_line(ProcessEvent{process, number, Issued{Exchange<Sleep>{{5}, Unit{}}, {}}}) + '\n';
}

TEST(TraceText, EventsOutOfOrderAreRefused) {
  const auto born = [](ProcessId process, std::uint64_t number) {
    return event_line(ProcessEvent{process, number, Issued{Exchange<Fork>{{}, Forked(Child{})}, {}}}) + '\n';
  };
  const auto end = [](ProcessId process, std::uint64_t number) {
    return event_line(ProcessEvent{process, number, Ended{}}) + '\n';
  };
  const std::pair<std::string, std::string> traces[] = {
      {slept(0, 0) + born(2, 0) + slept(0, 1) + slept(2, 1) + end(2, 2) + born(1, 0) + end(0, 2) + end(1, 1), ""},
      {slept(0, 0) + slept(0, 2), "line 3: process 0: event 2 where event 1 was due"},
      {slept(0, 0) + slept(0, 0), "line 3: process 0: event 0 where event 1 was due"},
      {slept(0, 1), "line 2: process 0: event 1 where event 0 was due"},
      {born(2, 0) + slept(2, 1) + slept(2, 3), "line 4: process 2: event 3 where event 2 was due"},
      {end(0, 0) + slept(0, 1), "line 3: process 0: event 1 after its end"},
      {born(1, 0) + end(1, 1) + end(1, 2), "line 4: process 1: event 2 after its end"},
      {born(1, 0) + end(1, 1) + born(1, 0), "line 4: process 1: event 0 after its end"},
      {slept(1, 0), "line 2: process 1: its first event is not the Fork that made it"},
      {end(1, 0), "line 2: process 1: its first event is not the Fork that made it"},
      {born(0, 0), "line 2: process 0: event 0 can only be the first of a child"},
      {slept(0, 0) + born(0, 1), "line 3: process 0: event 1 can only be the first of a child"},
      {born(1, 0) + born(1, 1), "line 3: process 1: event 1 can only be the first of a child"},
  };
  for (const auto& [text, bad] : traces) EXPECT_EQ(read_trace(header_line(header) + '\n' + text).bad, bad) << text;
  TraceHeader of_two = header;
  of_two.workers = 2;
  EXPECT_EQ(read_trace(header_line(of_two) + '\n' + slept(1, 0) + slept(0, 0) + born(2, 0)).bad, "");
  EXPECT_EQ(read_trace(header_line(of_two) + '\n' + born(1, 0)).bad,
            "line 2: process 1: event 0 can only be the first of a child");
}

TEST(TraceText, TheOrderOfEventsGoesOnFromPartToPart) {
  const auto second_part = [](const std::string& events) -> std::string {
    std::istringstream first(header_line(header) + '\n' + slept(0, 0) + R"({"process":0,"ev)");
    std::istringstream second(header_line(header) + '\n' + events);
    TraceReader reader(first);
    EXPECT_TRUE(reader.header() && reader.next() && !reader.next()->has_value() && reader.cut());
    TraceReader next_part(second);
    EXPECT_TRUE(next_part.header());
    reader.go_on(std::move(next_part));
    const auto event = reader.next();
    EXPECT_FALSE(reader.cut());
    return event ? "" : std::to_string(event.error().line) + ": " + event.error().what;
  };
  EXPECT_EQ(second_part(slept(0, 1)), "");
  EXPECT_EQ(second_part(slept(0, 0)), "2: process 0: event 0 where event 1 was due");
}

TEST(TraceText, AWordFromTheFileIsShownInPart) {
  const std::string bad = read_trace(in_trace(R"({"process":0,"event":0,"do":")" + std::string(5000, 'a') + "\"}")).bad;
  EXPECT_LT(bad.size(), 250U);
  EXPECT_TRUE(bad.ends_with("aaa...")) << bad;
}

}  // namespace
}  // namespace antiphon
