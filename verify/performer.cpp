#include "verify/performer.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <variant>

#include "interpreters/event_bytes.hpp"

namespace antiphon::verify {

namespace {

/// An instruction that is never answered, since a buffer is full: how much one holds is the scenario's.
bool waits_for_room(const ProcessEvent& event) {
  const auto* const send = exchange_of<Send>(event);
  return send != nullptr && !send->response;
}

}  // namespace

bool alike(const ProcessEvent& simulated, const ProcessEvent& performed) {
  const auto* const wanted = exchange_of<Fork>(simulated);
  ProcessEvent renamed = performed;
  auto* const fork = exchange_of<Fork>(renamed);
  const auto is_parent = [](const Exchange<Fork>* one) {
    return one != nullptr && one->response && *one->response && std::holds_alternative<Parent>(**one->response);
  };
  if (is_parent(wanted) && is_parent(fork)) fork->response = wanted->response;
  return renamed == simulated;
}

bool is_beginning(const ProcessEvent& simulated, const ProcessEvent& performed) {
  const auto* const wanted = exchange_of<Recv>(simulated);
  const auto* const recv = exchange_of<Recv>(performed);
  const auto has_bytes = [](const Exchange<Recv>* one) {
    return one != nullptr && one->response && *one->response && !(*one->response)->empty();
  };
  if (!has_bytes(wanted) || !has_bytes(recv) || wanted->instruction != recv->instruction) return false;
  const Bytes& all = **wanted->response;
  const Bytes& some = **recv->response;
  return some.size() < all.size() && all.take(some.size()) == some;
}

bool Backoff::wait() {
  constexpr std::uint32_t most_yields = 200;
  if (++times_ < most_yields) {
    std::this_thread::yield();
    return false;
  }
  std::this_thread::sleep_for(std::chrono::microseconds(50));
  return true;
}

void Performer::wait() {
  if (!backoff_.wait()) return;
  pollfd watched{socket_, 0, 0};
  if (poll(&watched, 1, 0) > 0) std::_Exit(EXIT_FAILURE);  // nobody conducts any more
}

std::optional<Cue> Performer::cue(ProcessId process, std::uint64_t event) {
  progress_->begin();
  if (progress_->has_parted()) return Cue();
  const auto step = score_->step(process, event);
  // Where the score is at rest nothing may come beyond it. If something does, that is told.
  const bool is_due = step ? progress_->due() >= *step && !waits_for_room(score_->event(*step)) : score_->run.at_rest;
  if (!is_due) {
    wait();
    return std::nullopt;
  }
  backoff_.begin_again();
  return step ? score_->steps[*step].cue : Cue();
}

void Performer::write(const ProcessEvent& event) {
  const auto step = score_->step(event.process, event.number);
  while (step && !progress_->has_parted() && progress_->due() < *step) wait();
  std::string bytes;
  append_bytes(bytes, event);
  while (send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) std::_Exit(EXIT_FAILURE);
  }
  if (progress_->has_parted()) return;
  if (step && alike(score_->event(*step), event)) return progress_->done(*step);
  const bool is_cut = step && is_beginning(score_->event(*step), event);
  progress_->part(is_cut ? Progress::Parting::cut_short : Progress::Parting::here);
}

}  // namespace antiphon::verify
