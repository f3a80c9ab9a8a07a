#include "verify/lying_kernels.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <variant>

namespace antiphon::verify {

namespace {

/// An I that succeeded, or null.
template <Instruction I>
Exchange<I>* success_of(Event& event) {
  auto* const of_process = std::get_if<ProcessEvent>(&event);
  auto* const exchange = of_process == nullptr ? nullptr : exchange_of<I>(*of_process);
  return exchange != nullptr && exchange->response && *exchange->response ? exchange : nullptr;
}

/// Applies the change to the answered I's one after the other, until it takes one.
template <Instruction I, class Change>
void change_one(std::vector<Event>& trace, Change change) {
  for (auto event = trace.begin(); event != trace.end(); ++event) {
    Exchange<I>* const exchange = success_of<I>(*event);
    if (exchange != nullptr && change(*exchange, event)) return;
  }
}

using At = std::vector<Event>::iterator;

void reverse_a_message(std::vector<Event>& trace) {
  change_one<Recv>(trace, [](Exchange<Recv>& recv, At) {
    std::string content((*recv.response)->content());
    std::ranges::reverse(content);
    const bool differs = content != (*recv.response)->content();
    if (differs) recv.response = Bytes::copy_of(content);
    return differs;
  });
}

void send_too_much(std::vector<Event>& trace) {
  change_one<Send>(trace, [](Exchange<Send>& send, At) {
    send.response = send.instruction.bytes.size() + 1;
    return true;
  });
}

void repeat_a_name(std::vector<Event>& trace) {
  change_one<Accept>(trace, [](Exchange<Accept>& accept, At) {
    accept.response = accept.instruction.listener;
    return true;
  });
}

void receive_after_the_end(std::vector<Event>& trace) {
  change_one<Recv>(trace, [&](const Exchange<Recv>& recv, At at) {
    if (!(*recv.response)->empty()) return false;
    Event again = *at;
    success_of<Recv>(again)->response = Bytes::copy_of("x");
    trace.insert(std::next(at), std::move(again));
    return true;
  });
}

void receive_after_closing(std::vector<Event>& trace) {
  change_one<Close>(trace, [&](const Exchange<Close>& close, At at) {
    ProcessEvent read = std::get<ProcessEvent>(*at);
    read.what = Issued{Exchange<Recv>{{close.instruction.socket, 16, {}}, Bytes::copy_of("x")}, std::nullopt};
    trace.insert(std::next(at), std::move(read));
    return true;
  });
}

}  // namespace

std::vector<LyingKernel> lying_kernels() {
  return {
      {"kernel", "bytes arrive in reverse", reverse_a_message},
      {"kernel", "a closed socket is read", receive_after_closing},
      {"echo", "a Send takes more than it was given", send_too_much},
      {"open", "Accept answers a name that is taken", repeat_a_name},
      {"input-read", "bytes come after the end", receive_after_the_end},
  };
}

}  // namespace antiphon::verify
