#include "verify/clients.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "interpreters/epoll.hpp"
#include "tests/verify/simulated_clients.hpp"
#include "verify/kernel_clients.hpp"

namespace antiphon::verify {
namespace {

using script::Await;
using script::Connect;
using script::EndSide;
using script::Pause;
using script::Reset;
using script::Send;
using script::StopReading;

/// A server on the kernel, in a thread, for as long as it is in scope.
class RealServer {
 public:
  explicit RealServer(std::string program) {
    thread_ = std::thread([this, program = std::move(program)] {
      ProgramOptions program_options;
      program_options.server.at.port = 0;
      LoopOptions options;
      options.stop = &stop_;
      options.spin_us = 0;
      options.watch = [this](const ProcessEvent& event) { hear(event); };
      run_on_epoll(*program_named(program, program_options), options);
    });
    std::unique_lock lock(mutex_);
    news_.wait(lock, [this] { return at_.has_value(); });
  }
  ~RealServer() {
    stop_.request();
    thread_.join();
  }
  RealServer(const RealServer&) = delete;
  RealServer& operator=(const RealServer&) = delete;

  [[nodiscard]] RunClients clients() const { return kernel_clients(*at_); }

 private:
  void hear(const ProcessEvent& event) {
    const auto* const issued = std::get_if<Issued>(&event.what);
    const auto* const listen = issued == nullptr ? nullptr : std::get_if<Exchange<Listen>>(&issued->exchange);
    if (listen == nullptr) return;
    const std::lock_guard lock(mutex_);
    at_ = listen->response->value();
    news_.notify_one();
  }

  Stop stop_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::optional<Endpoint> at_;
  std::thread thread_;
};

/// "sent 3; received 3; ends; end": what a client did and met.
std::string story(const ClientView& view) {
  std::string text = view.connected ? "" : "no connection; ";
  if (const auto sent = view.conversation.received(); sent > 0) text += "sent " + std::to_string(sent) + "; ";
  if (const auto came = view.conversation.sent(); came > 0) text += "received " + std::to_string(came) + "; ";
  if (view.conversation.mismatch()) text += "mismatch; ";
  if (view.ended_side) text += "ends; ";
  if (view.met_end) text += "end; ";
  if (view.failure) text += "reset; ";
  return text;
}

std::vector<std::string> stories(const RunClients& run, const Visit& visit) {
  std::vector<std::string> all;
  for (const ClientView& view : run(visit, visit.limit_ms).views) all.push_back(story(view));
  return all;
}

/// The kernel and the simulator say the same of these clients; and what they say.
std::vector<std::string> in_both(const std::string& program, std::vector<Script> clients) {
  Visit visit;
  visit.clients = std::move(clients);
  visit.answers = program == "once" ? Answers::first_message : Answers::everything;
  ProgramOptions options;
  options.session.until.wait_ms = forever_ms;
  const auto simulated = stories(simulated_clients(*program_named(program, options)), visit);
  const RealServer server(program);
  EXPECT_EQ(stories(server.clients(), visit), simulated);
  return simulated;
}

using Stories = std::vector<std::string>;

TEST(Clients, DoTheSameOnTheKernelAndInSimulation) {
  EXPECT_EQ(in_both("stream", {{Connect{}, Send{3}, Await{3}, EndSide{}},
                               {Pause{20}, Connect{}, Send{2}, Pause{20}, Send{3}, EndSide{}},
                               {Connect{}, EndSide{}},
                               {Connect{}}}),
            (Stories{"sent 3; received 3; ends; end; ", "sent 5; received 5; ends; end; ", "ends; end; ", ""}));
  EXPECT_EQ(in_both("once", {{Connect{}, Send{3}}, {Connect{}, Send{2}, Await{2}, Send{3}, EndSide{}}}),
            (Stories{"sent 3; received 3; end; ", "sent 5; received 2; ends; end; "}));
}

TEST(Clients, ReadWhileASendFindsNoRoom) {
  EXPECT_EQ(in_both("stream", {{Connect{}, Send{16U << 20U}, EndSide{}}}),
            (Stories{"sent 16777216; received 16777216; ends; end; "}));
}

TEST(Clients, LeaveTheRestOfTheScriptOutOnceTheServerHasEnded) {
  EXPECT_EQ(in_both("once", {{Connect{}, Send{3}, Await{3}, Send{2}, Await{2}, Send{4}, EndSide{}}}),
            (Stories{"sent 5; received 3; end; "}));
}

TEST(Clients, AwaitNoMoreThanTheySent) {
  EXPECT_EQ(in_both("stream", {{Connect{}, Send{3}, Await{9}, EndSide{}}}),
            (Stories{"sent 3; received 3; ends; end; "}));
}

TEST(Clients, WhoReadsNothingHoldsItsConnection) {
  EXPECT_EQ(in_both("stream", {{Connect{}, StopReading{}, Send{5}, EndSide{}}}), (Stories{"sent 5; ends; "}));
}

/// What the server's session meets while a client resets.
Errno met_by_a_session(const Script& script) {
  Errno met = Errno::EXPIRED;
  const Server both = Fork{} >> [=](const Result<Forked>& forked) -> Server {
    if (!forked || std::holds_alternative<Parent>(*forked)) return *program_named("stream");
    Visit visit;
    visit.clients = {script};
    return Sleep{10} >> [=](const Result<Unit>&) { return clients_program({"127.0.0.1", 8888}, visit); };
  };
  for (const Event& event : simulate(both, Scenario(0)).trace) {
    const auto* const one = std::get_if<ProcessEvent>(&event);
    const auto* const issued = one == nullptr ? nullptr : std::get_if<Issued>(&one->what);
    const auto* const recv = issued == nullptr ? nullptr : std::get_if<Exchange<Recv>>(&issued->exchange);
    if (recv != nullptr && recv->response && !*recv->response) met = recv->response->error();
  }
  return met;
}

TEST(Clients, ResetByLeavingWhatIsOwedUnread) {
  EXPECT_EQ(met_by_a_session({Connect{}, Send{2}, Reset{}}), Errno::CONNRESET);
  EXPECT_EQ(met_by_a_session({Connect{}, Send{2}, Await{2}, Reset{}}), Errno::EXPIRED);
}

TEST(Clients, ComeInTurn) {
  // A second client at the same time would be refused.
  Visit visit;
  visit.clients = std::vector<Script>(3, {Connect{}, Send{2}, Await{2}, EndSide{}});
  visit.in_turn = true;
  const Stories served(3, "sent 2; received 2; ends; end; ");
  ProgramOptions options;
  options.server.max_connections = 1;
  EXPECT_EQ(stories(simulated_clients(*program_named("stream", options)), visit), served);
  const RealServer server("stream");
  EXPECT_EQ(stories(server.clients(), visit), served);
}

TEST(Clients, AreCutWhenTheTimeIsUp) {
  const RealServer server("stream");
  Visit visit;
  visit.clients = {{Connect{}, Pause{60'000}, EndSide{}}};
  const ClientsRun run = server.clients()(visit, 50);
  EXPECT_TRUE(run.views.front().stopped);
  EXPECT_FALSE(run.had_its_time);
}

TEST(Clients, NobodyListens) {
  Visit visit;
  visit.clients = {{Connect{}, Send{1}, EndSide{}}};
  EXPECT_EQ(kernel_clients({"127.0.0.1", 1})(visit, 10'000).views.front().unconnected, Errno::CONNREFUSED);
}

TEST(Clients, KnowTheirScripts) {
  EXPECT_EQ(sends({Connect{}, Send{2}, Pause{1}, Send{3}, EndSide{}, Send{9}}), 5U);
  EXPECT_TRUE(ends_by_itself({Connect{}, EndSide{}}));
  EXPECT_TRUE(ends_by_itself({Connect{}, Reset{}}));
  EXPECT_FALSE(ends_by_itself({Connect{}, Send{2}}));
  EXPECT_TRUE(resets({Connect{}, Reset{}}));
  EXPECT_TRUE(stops_reading({Connect{}, StopReading{}}));
}

}  // namespace
}  // namespace antiphon::verify
