#include "tests/interpreters/real_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <variant>

namespace antiphon::parity {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

sockaddr_in address_of(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  inet_pton(AF_INET, endpoint.host.c_str(), &address.sin_addr);
  return address;
}

}  // namespace

class RealClient::Conversation {
 public:
  Conversation(std::uint32_t client, std::string host, Endpoint server)
      : client_(client), host_(std::move(host)), server_(std::move(server)) {}
  ~Conversation() { let_go(); }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  void perform(const Script& script) {
    for (const script::Action& action : script) {
      if (done_) break;
      std::visit([&](const auto& what) { act(what); }, action);
    }
  }

  ClientOutcome await_the_end(const std::atomic<bool>& server_is_over) {
    if (!connected_) return outcome_;
    while (!done_ && !(outcome_.met_end && reading_) && !(server_is_over && !reading_) && in_time()) step();
    // Who does not read would not see an end. A reset is on its way at most.
    const Clock::time_point end = Clock::now() + milliseconds(50);
    while (!done_ && !reading_ && Clock::now() < end) step();
    return outcome_;
  }

 private:
  void act(const script::Connect&) {
    if (connected_) return;
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const sockaddr_in own = address_of({host_, 0});
    bind(socket_, reinterpret_cast<const sockaddr*>(&own), sizeof(own));
    sockaddr_in address = address_of(server_);
    connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    pollfd watched{socket_, POLLOUT, 0};
    poll(&watched, 1, patience_ms);
    const int error = watched.revents == 0 ? ETIMEDOUT : pending_error();
    connected_ = error == 0;
    if (connected_) return;
    (error == ECONNREFUSED ? outcome_.refused : outcome_.turned_away) = true;
    done_ = true;
  }

  void act(const script::Send& action) {
    if (!connected_ || ended_side_) return;
    const std::string text = payload(client_, said_, action.count);
    said_ += action.count;
    std::string_view left = text;
    while (!left.empty() && !done_ && in_time()) {
      if ((step(POLLOUT) & POLLOUT) == 0 || done_) continue;
      const ssize_t sent = send(socket_, left.data(), left.size(), MSG_NOSIGNAL);
      if (sent > 0) left.remove_prefix(static_cast<std::size_t>(sent));
      if (sent > 0) outcome_.sent += static_cast<std::uint64_t>(sent);
      if (sent < 0 && errno != EAGAIN) meet_reset();
    }
  }

  void act(const script::Await& action) {
    awaited_ += action.count;
    while (connected_ && !done_ && !outcome_.met_end && outcome_.received.size() < awaited_ && in_time()) step();
  }

  void act(const script::EndSide&) {
    if (!connected_ || ended_side_) return;
    ended_side_ = true;
    shutdown(socket_, SHUT_WR);
  }

  void act(const script::Reset&) {
    done_ = true;
    if (!connected_) return;
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    let_go();
    outcome_.reset_it = true;
  }

  void act(const script::Pause& action) {
    const Clock::time_point end = Clock::now() + milliseconds(action.wait_ms);
    while (!done_ && Clock::now() < end) step(0, std::chrono::ceil<milliseconds>(end - Clock::now()));
  }

  void act(const script::StopReading&) { reading_ = false; }
  void act(const script::SendAny& any) { act(script::Send{any.count}); }  // one is any number

  /// Waits for the socket, a little while at most, and takes what there is. Answers what it is ready for.
  int step(short events = 0, milliseconds at_most = milliseconds(10)) {
    const auto wait = std::min(at_most, milliseconds(10));
    if (!connected_) {
      std::this_thread::sleep_for(wait);
      return 0;
    }
    const bool reads = reading_ && !outcome_.met_end;
    pollfd watched{socket_, static_cast<short>(events | (reads ? POLLIN : 0)), 0};
    poll(&watched, 1, static_cast<int>(wait.count()));
    if (reads && watched.revents != 0) take_all();
    if (!done_ && (watched.revents & POLLERR) != 0 && pending_error() != 0) meet_reset();
    // Hung up on both sides, and nothing to be done about it: poll tells it again and again.
    if ((watched.revents & ~POLLHUP) == 0) std::this_thread::sleep_for(milliseconds(1));
    return watched.revents;
  }

  void take_all() {
    std::array<char, 65536> bytes{};
    for (;;) {
      const ssize_t size = recv(socket_, bytes.data(), bytes.size(), 0);
      if (size < 0) {
        if (errno != EAGAIN) meet_reset();
        return;
      }
      if (size == 0) {
        outcome_.met_end = true;
        return;
      }
      outcome_.received.append(bytes.data(), static_cast<std::size_t>(size));
    }
  }

  [[nodiscard]] int pending_error() const {
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
  }

  void meet_reset() { outcome_.met_reset = done_ = true; }

  [[nodiscard]] bool in_time() const { return Clock::now() < give_up_at_; }

  void let_go() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
    connected_ = false;
  }

  std::uint32_t client_;
  std::string host_;
  Endpoint server_;
  Clock::time_point give_up_at_ = Clock::now() + milliseconds(patience_ms);
  ClientOutcome outcome_;
  int socket_ = -1;
  std::uint64_t said_ = 0;
  std::uint64_t awaited_ = 0;
  bool connected_ = false;
  bool reading_ = true;
  bool ended_side_ = false;
  bool done_ = false;
};

RealClient::RealClient(std::uint32_t client, const std::string& host, const Endpoint& server)
    : conversation_(std::make_unique<Conversation>(client, host, server)) {}
RealClient::~RealClient() = default;

void RealClient::perform(const Script& script) { conversation_->perform(script); }

ClientOutcome RealClient::await_the_end(const std::atomic<bool>& server_is_over) {
  return conversation_->await_the_end(server_is_over);
}

}  // namespace antiphon::parity
