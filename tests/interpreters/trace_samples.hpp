#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/trace.hpp"
#include "interpreters/trace_form.hpp"

/// Events, and their lines in a trace.

namespace antiphon {

template <Instruction I>
Event event(const I& instruction, std::optional<typename I::Response> response, std::optional<ProcessId> child = {}) {
  return ProcessEvent{0, 0, Issued{Exchange<I>{instruction, std::move(response)}, child}};
}

/// Forms that the fast reader leaves to the other one: what is not answered, an end with an error, what is not
/// printable.
inline bool is_left_out(const std::string& line) {
  return line.find("pending") != std::string::npos || line.find(R"("end":"E)") != std::string::npos ||
         line.find("\\u") != std::string::npos || !std::ranges::all_of(line, form::is_text);
}

struct Sample {
  Event event;
  std::string line;  ///< After `{"process":0,"event":0,` where it starts with a comma.
};

/// Every instruction, every kind of answer, every kind of event, and the text of each.
inline std::vector<Sample> samples() {
  const Bytes hello = Bytes::copy_of("hi\t\"\\\r\n");
  const std::string hello_text = R"({"text":"hi\t\"\\\r\n"})";
  const Deadline until{60'000, 5'000};
  return {
      {event(OpenSocket{{"127.0.0.1", 8888}}, Socket{0}),
       R"(,"do":"OpenSocket","at":{"host":"127.0.0.1","port":8888},"answer":0})"},
      {event(Listen{Socket{0}, 128}, Endpoint{"::1", 65535}),
       R"(,"do":"Listen","listener":0,"backlog":128,"answer":{"host":"::1","port":65535}})"},
      {event(Accept{Socket{0}}, Socket{1}), R"(,"do":"Accept","listener":0,"answer":1})"},
      {event(Accept{Socket{0}}, failed(Errno::STOPPING)), R"(,"do":"Accept","listener":0,"error":"Stopping"})"},
      {event(Accept{Socket{0}}, {}), R"(,"do":"Accept","listener":0,"pending":true})"},
      {event(Connect{{"a\x01", 1}, {}}, failed(Errno{95})),
       R"(,"do":"Connect","to":{"host":"a\u0001","port":1},"until":{"wait_ms":null,"drain_ms":0},)"
       R"("error":"EOPNOTSUPP"})"},
      {event(Recv{Socket{1}, 16384, until}, hello),
       R"(,"do":"Recv","from":1,"at_most":16384,"until":{"wait_ms":60000,"drain_ms":5000},"answer":)" + hello_text +
           "}"},
      {event(Recv{Socket{1}, std::numeric_limits<std::size_t>::max(), {}}, Bytes{}),
       R"(,"do":"Recv","from":1,"at_most":18446744073709551615,"until":{"wait_ms":null,"drain_ms":0},)"
       R"("answer":{"text":""}})"},
      {event(Recv{Socket{1}, 3, {}}, Bytes::copy_of(std::string("\0a\xff", 3))),
       R"(,"do":"Recv","from":1,"at_most":3,"until":{"wait_ms":null,"drain_ms":0},"answer":{"hex":"0061ff"}})"},
      {event(Send{Socket{1}, hello.take(2), until}, 2),
       R"(,"do":"Send","to":1,"bytes":{"text":"hi"},"until":{"wait_ms":60000,"drain_ms":5000},"answer":2})"},
      {event(Recv{Socket{1}, 16, {}}, Bytes::of_digests(std::array{StreamDigest{3, 0xFEDCBA9876543210}})),
       R"(,"do":"Recv","from":1,"at_most":16,"until":{"wait_ms":null,"drain_ms":0},)"
       R"("answer":{"digest":"3:fedcba9876543210"}})"},
      {event(Send{Socket{1}, Bytes::of_digests(std::array{StreamDigest{1, 1}, StreamDigest{2, 2}}), {}}, 1),
       R"(,"do":"Send","to":1,"bytes":{"digest":"1:0000000000000001,2:0000000000000002"},)"
       R"("until":{"wait_ms":null,"drain_ms":0},"answer":1})"},
      {event(ShutdownSend{Socket{1}}, failed(Errno{4242})), R"(,"do":"ShutdownSend","socket":1,"error":"errno 4242"})"},
      {event(Close{Socket{-1}}, failed(Errno::BADF)), R"(,"do":"Close","socket":-1,"error":"EBADF"})"},
      {event(Fork{}, Forked(Parent{Pid{4242}}), 1),
       R"(,"do":"Fork","at_most":null,"answer":{"parent":4242},"child":1})"},
      {event(Fork{10}, failed(Errno::AGAIN)), R"(,"do":"Fork","at_most":10,"error":"EAGAIN"})"},
      {event(Fork{10, 2, Socket{1}}, failed(Errno::AGAIN)),
       R"(,"do":"Fork","at_most":10,"at_most_alike":2,"client":1,"error":"EAGAIN"})"},
      {event(DiscardChildren{}, Unit{}), R"(,"do":"DiscardChildren","answer":"ok"})"},
      {event(Sleep{-5}, Unit{}), R"(,"do":"Sleep","wait_ms":-5,"answer":"ok"})"},
      {event(Alarm{forever_ms}, Unit{}), R"(,"do":"Alarm","wait_ms":null,"answer":"ok"})"},
      {ProcessEvent{0, 0, Ended{}}, R"(,"end":"ok"})"},
      {ProcessEvent{0, 0, Ended{failed(Errno::CONNRESET)}}, R"(,"end":"ECONNRESET"})"},
      {ProcessEvent{7, 0, Issued{Exchange<Fork>{{}, Forked(Child{})}, {}}},
       R"({"process":7,"event":0,"do":"Fork","at_most":null,"answer":"child"})"},
      {ClientEvent{1, ClientEvent::Kind::sent, hello, 0, {}},
       R"({"client":1,"did":"sent","bytes":)" + hello_text + "}"},
      {ClientEvent{1, ClientEvent::Kind::accepted, {}, 0, Socket{1}},
       R"({"client":1,"did":"accepted","process":0,"socket":1})"},
      {ClientEvent{0, ClientEvent::Kind::closed, {}, 0, {}}, R"({"client":0,"did":"closed"})"},
      {StopEvent{}, R"({"stop":true})"},
  };
}

}  // namespace antiphon
