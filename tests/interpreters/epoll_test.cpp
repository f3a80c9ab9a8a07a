#include "interpreters/epoll.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "interpreters/kernel.hpp"
#include "tests/interpreters/small_programs.hpp"

namespace antiphon {
namespace {

/// More than one call of epoll tells of.
constexpr int senders = 300;
constexpr std::int64_t patience_ms = 1'500;
constexpr Deadline at_once{.wait_ms = 0, .drain_ms = forever_ms};
constexpr Deadline patient{.wait_ms = patience_ms, .drain_ms = forever_ms};
constexpr Sleep marker{1};
/// What is acknowledged late makes room anew.
constexpr Sleep settling{150};

/// Sends until there is no room.
Program<Net, Unit> fill(Socket client) {
  return iter(Unit{}, [=](const Unit&) {
    return Send{client, small::bytes(65'536), at_once} >> [](const Result<std::size_t>& sent) {
      return ret(sent ? Step<Unit, Unit>(Continue{Unit{}}) : Step<Unit, Unit>(Break{Unit{}}));
    };
  });
}

/// Does it for each client's name.
template <class Body>
Program<Net, Unit> for_each_client(Body body) {
  return iter(1, [=](const int& name) {
    return body(Socket{name}) >> [=](const Unit&) {
      return ret(name == senders ? Step<int, Unit>(Break{Unit{}}) : Step<int, Unit>(Continue{name + 1}));
    };
  });
}

/// A process for each client, that sends where there is no room. The parent goes on to the marker.
Server send_to_all(int name) {
  const auto sends = [=] {
    return small::then(Send{Socket{name}, small::bytes(1), patient}, [] { return small::over(); });
  };
  const auto goes_on = [=] { return name == senders ? small::all(marker) : send_to_all(name + 1); };
  return small::fork_into(goes_on, sends);
}

Program<Net, Unit> fill_all_again(int times) {
  return settling >> [=](const Result<Unit>&) {
    return for_each_client([](Socket client) { return fill(client); }) >> [=](const Unit&) -> Program<Net, Unit> {
      return times == 1 ? Program<Net, Unit>(ret(Unit{})) : fill_all_again(times - 1);
    };
  };
}

Server server(const Endpoint& at) {
  return OpenSocket{at} >> [](const Result<Socket>& listener) {
    return Listen{listener.value(), senders} >> [=](const Result<Endpoint>&) {
      return for_each_client([=](Socket) -> Program<Net, Unit> {
               return Accept{listener.value()} >> [](const Result<Socket>& client) { return fill(client.value()); };
             }) >>
             [](const Unit&) { return fill_all_again(3); } >> [](const Unit&) { return send_to_all(1); };
    };
  };
}

/// Halts the loop's thread at the marker, as SIGSTOP would, and counts how the sends of the children went.
class Halt final : public ExchangeObserver {
 public:
  void saw(ProcessId process, const ExchangeView& exchange, kernel::Nanoseconds) override {
    if (const auto* const send = std::get_if<ExchangeRef<Send>>(&exchange); send != nullptr && process != 0) {
      ++(send->response ? sent_ : expired_);
    }
    const auto* const sleep = std::get_if<ExchangeRef<Sleep>>(&exchange);
    if (sleep == nullptr || sleep->instruction != marker) return;
    halted_.set_value();
    resumed_.get_future().wait();
  }
  void forked(ProcessId, std::optional<ProcessId>) override {}
  void ended(ProcessId, const Result<Unit>&, kernel::Nanoseconds) override {}

  void await() { halted_.get_future().wait(); }
  void resume() { resumed_.set_value(); }
  [[nodiscard]] int sent() const { return sent_; }
  [[nodiscard]] int expired() const { return expired_; }

 private:
  std::promise<void> halted_;
  std::promise<void> resumed_;
  int sent_ = 0;
  int expired_ = 0;
};

/// A listener whose clients' buffers are small.
kernel::Descriptor small_listener() {
  auto opened = kernel::open_socket({"127.0.0.1", 0}).value();
  constexpr int size = 4'096;
  setsockopt(opened.number(), SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
  return opened;
}

/// Until nothing more comes.
void drain(const std::vector<kernel::Descriptor>& clients) {
  std::array<std::byte, 65'536> content{};
  for (bool came = true; came;) {
    came = false;
    for (const kernel::Descriptor& client : clients) {
      const auto receive = [&] { return kernel::receive(client.number(), content.data(), content.size()).value_or(0); };
      while (receive() > 0) came = true;
    }
  }
}

TEST(Epoll, ASendThatCouldGoOnIsNotExpiredAfterAHalt) {
  AdoptedListeners adopted;
  kernel::Descriptor listener = small_listener();
  const Endpoint at = kernel::listen_at(listener.number(), senders).value();
  ASSERT_EQ(adopted.add(std::move(listener)), std::nullopt);
  Halt halt;
  std::thread thread([&] {
    LoopOptions options;
    options.adopted = &adopted;
    options.observer = &halt;
    run_on_epoll(server(at), options);
  });
  std::vector<kernel::Descriptor> clients;
  clients.reserve(senders);
  for (int count = 0; count < senders; ++count) clients.push_back(kernel::begin_connecting(at).value());
  halt.await();
  EXPECT_EQ(halt.sent() + halt.expired(), 0) << "all wait by now";
  drain(clients);
  std::this_thread::sleep_for(std::chrono::milliseconds(patience_ms));
  halt.resume();
  thread.join();
  EXPECT_EQ(halt.sent(), senders);
  EXPECT_EQ(halt.expired(), 0);
}

// -- Clocks ------------------------------------------------------------------------------------------------------

/// Takes long over the first message, and keeps how the second one came.
class SlowObserver final : public ExchangeObserver {
 public:
  explicit SlowObserver(std::int64_t pause_ms) : pause_ms_(pause_ms) {}

  void saw(ProcessId, const ExchangeView& exchange, kernel::Nanoseconds) override {
    const auto* const recv = std::get_if<ExchangeRef<Recv>>(&exchange);
    if (recv == nullptr) return;
    if (++messages_ == 2) second_ = recv->response;
    if (messages_ != 1) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms_));
    is_over_.set_value();
  }
  void forked(ProcessId, std::optional<ProcessId>) override {}
  void ended(ProcessId, const Result<Unit>&, kernel::Nanoseconds) override {}

  /// Until the pause is over.
  void await() { is_over_.get_future().wait(); }
  [[nodiscard]] Result<std::size_t> second() const {
    if (!second_) return failed(second_.error());
    return second_->size();
  }

 private:
  std::int64_t pause_ms_;
  std::promise<void> is_over_;
  int messages_ = 0;
  Result<Bytes> second_;
};

TEST(Epoll, AnAlarmDoesNotCountTheTimeBeforeIt) {
  constexpr std::int64_t alarm_ms = 1'000;
  AdoptedListeners adopted;
  kernel::Descriptor listener = small_listener();
  const Endpoint at = kernel::listen_at(listener.number(), 1).value();
  ASSERT_EQ(adopted.add(std::move(listener)), std::nullopt);
  SlowObserver observer(alarm_ms);
  std::thread thread([&] {
    LoopOptions options;
    options.adopted = &adopted;
    options.observer = &observer;
    constexpr Deadline whenever{.wait_ms = forever_ms, .drain_ms = forever_ms};
    const Recv message{Socket{1}, 10, whenever};
    run_on_epoll(small::all(OpenSocket{at}, Listen{Socket{0}, 1}, Accept{Socket{0}}, message, Alarm{alarm_ms}, message),
                 options);
  });
  const kernel::Descriptor client = kernel::begin_connecting(at).value();
  kernel::make_blocking(client.number());
  EXPECT_EQ(::send(client.number(), "early", 5, MSG_NOSIGNAL), 5);
  observer.await();
  // An alarm that counts from before the pause has rung by then; this one rings much later.
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(::send(client.number(), "late", 4, MSG_NOSIGNAL), 4);
  thread.join();
  EXPECT_EQ(observer.second(), Result<std::size_t>(4));
}

}  // namespace
}  // namespace antiphon
