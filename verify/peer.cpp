#include "verify/peer.hpp"

#include <poll.h>

#include <array>
#include <utility>

#include "verify/conversation.hpp"

namespace antiphon::verify {

bool Peer::wait_for(short events) const {
  pollfd watched{socket_.number(), events, 0};
  return poll(&watched, 1, patience_ms) > 0;
}

Result<Unit> Peer::connect(const Endpoint& at, const std::string& from) {
  auto begun = from.empty() ? kernel::begin_connecting(at) : kernel::begin_connecting_from(from, at);
  if (!begun) return failed(begun.error());
  socket_ = *std::move(begun);
  const Result<Unit> outcome = wait_for(POLLOUT) ? kernel::connected(socket_.number()) : failed(Errno::EXPIRED);
  if (!outcome) socket_ = kernel::Descriptor(-1);
  return outcome;
}

void Peer::send(std::string_view bytes) {
  Bytes rest = Bytes::copy_of(bytes);
  while (!rest.empty() && is_connected() && wait_for(POLLOUT)) {
    const auto sent = kernel::send(socket_.number(), rest);
    if (!sent && sent.error() != Errno::AGAIN) {
      send_error_ = sent.error();  // the kernel tells it once
      return;
    }
    rest = rest.drop(sent.value_or(0));
  }
}

void Peer::end_side() {
  if (is_connected()) kernel::tell_nobody(kernel::end_side(socket_.number()));
}

void Peer::reset() {
  if (!is_connected()) return;
  kernel::reset_on_close(socket_.number());
  socket_ = kernel::Descriptor(-1);
}

bool Peer::take() {
  if (!is_connected() || ended_ || error_ || !wait_for(POLLIN)) return false;
  std::array<std::byte, 16'384> buffer{};
  const auto size = kernel::receive(socket_.number(), buffer.data(), buffer.size());
  if (!size && size.error() == Errno::AGAIN) return true;
  if (!size) {
    error_ = size.error();
    return false;
  }
  ended_ = *size == 0;
  kept_.append(reinterpret_cast<const char*>(buffer.data()), *size);
  return !ended_;
}

std::string Peer::receive(std::size_t count) {
  while (kept_.size() < count && take()) {
  }
  std::string received = kept_.substr(0, count);
  kept_.erase(0, received.size());
  return received;
}

bool Peer::meets_end() {
  while (kept_.empty() && take()) {
  }
  return kept_.empty() && ended_;
}

bool Peer::meets_reset() {
  // What was under way to it is lost, or was not: both may be.
  while (take()) {
  }
  if (!error_) error_ = send_error_;
  // After the server's end it shows only here, as EPIPE.
  if (!error_ && ended_ && wait_for(POLLPRI)) {
    if (const auto outcome = kernel::connected(socket_.number()); !outcome) error_ = outcome.error();
  }
  return error_ == Errno::CONNRESET || error_ == Errno::PIPE;
}

bool Peer::has_nothing_more() {
  if (!is_connected() || ended_ || error_) return true;
  const int patience = std::exchange(patience_ms, 0);
  while (take()) {
  }
  patience_ms = patience;
  return kept_.empty() && !ended_ && !error_;
}

std::string Peer::met() const {
  if (!kept_.empty()) return bytes_text(kept_.size());
  if (error_) return name_of(*error_);
  return ended_ ? "the end" : "nothing";
}

}  // namespace antiphon::verify
