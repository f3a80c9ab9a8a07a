#include "tests/interpreters/parity.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include "interpreters/epoll.hpp"
#include "interpreters/fork.hpp"
#include "interpreters/free_address.hpp"
#include "interpreters/recording.hpp"
#include "interpreters/simulated.hpp"
#include "interpreters/trace_file.hpp"
#include "interpreters/trace_reader.hpp"
#include "interpreters/trace_writer.hpp"
#include "interpreters/uring.hpp"
#include "tests/interpreters/real_client.hpp"
#include "tests/interpreters/story.hpp"

namespace antiphon::parity {

// -- Stories -----------------------------------------------------------------------------------------------------

namespace {

std::vector<std::string> words_of(const std::string& story) {
  std::vector<std::string> words;
  std::istringstream text(story);
  for (std::string word; std::getline(text, word, ';');) words.push_back(word.substr(word.starts_with(' ') ? 1 : 0));
  return words;
}

/// The number that the word ends with, if it carried bytes.
std::optional<std::uint64_t> bytes_in(const std::string& word) {
  if (!word.starts_with("Recv ") && !word.starts_with("Send ")) return std::nullopt;
  const std::string number = word.substr(5);
  if (number.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return std::stoull(number);
}

std::string without_number(const std::string& word) {
  const std::size_t space = word.find(' ');
  const bool has_one = space != std::string::npos && word.find_first_not_of("0123456789", space + 1) == word.npos;
  return has_one ? word.substr(0, space) : word;
}

}  // namespace

std::string Outcome::process(ProcessId process) const { return story_of_process(trace, process); }

std::string Outcome::joined(ProcessId process) const {
  std::string text;
  std::string held;
  std::uint64_t count = 0;
  const auto put_held = [&] {
    if (!held.empty()) story::add(text, held + std::to_string(count));
    held.clear();
    count = 0;
  };
  for (const std::string& word : words_of(this->process(process))) {
    const auto carried = bytes_in(word);
    const std::string name = carried ? word.substr(0, 5) : std::string();
    if (name != held) put_held();
    held = name;
    if (carried) {
      count += *carried;
    } else {
      story::add(text, word);
    }
  }
  put_held();
  return text;
}

std::string Outcome::shape(ProcessId process) const {
  std::string text;
  std::string before;
  for (const std::string& word : words_of(this->process(process))) {
    const std::string bare = without_number(word);
    if (bare != before) story::add(text, bare);
    before = bare;
  }
  return text;
}

std::size_t Outcome::processes() const {
  std::set<ProcessId> seen;
  for (const Event& event : trace) {
    if (const auto* const one = std::get_if<ProcessEvent>(&event)) seen.insert(one->process);
  }
  return seen.size();
}

std::string Outcome::client(std::size_t client) const {
  std::string text;
  if (clients.at(client).sent > 0) story::add(text, "sent " + std::to_string(clients.at(client).sent));
  if (const std::string rest = met(client); !rest.empty()) story::add(text, rest);
  return text;
}

std::string Outcome::met(std::size_t client) const {
  const ClientOutcome& one = clients.at(client);
  std::string text;
  if (!one.received.empty()) story::add(text, "received " + std::to_string(one.received.size()));
  if (one.refused) story::add(text, "refused");
  if (one.turned_away) story::add(text, "turned away");
  if (one.met_end) story::add(text, "end");
  if (one.met_reset) story::add(text, "reset");
  if (one.reset_it) story::add(text, "resets");
  return text;
}

// -- The simulation ----------------------------------------------------------------------------------------------

namespace {

bool has_client_event(const Run& run, ClientId client, ClientEvent::Kind kind) {
  return std::ranges::any_of(run.trace, [&](const Event& event) {
    const auto* const one = std::get_if<ClientEvent>(&event);
    return one != nullptr && one->client == client && one->kind == kind;
  });
}

/// How many steps it takes until the last of the clients has stopped reading.
std::uint32_t steps_until_the_operator(const Server& server, const Scenario& scenario) {
  const auto operator_id = static_cast<ClientId>(scenario.clients.size());
  const auto there = [&](std::uint64_t steps) {
    return has_client_event(simulate(server, scenario, steps), operator_id, ClientEvent::Kind::stopped_reading);
  };
  std::uint64_t most = 1;
  while (most < (1U << 20U) && !there(most)) most *= 2;
  std::uint64_t least = most / 2;
  while (most - least > 1) {
    const std::uint64_t middle = (least + most) / 2;
    (there(middle) ? most : least) = middle;
  }
  return static_cast<std::uint32_t>(most);
}

ClientOutcome outcome_of(const std::vector<Event>& trace, ClientId client) {
  using enum ClientEvent::Kind;
  ClientOutcome outcome;
  bool has_connection = false;
  bool asked = false;
  for (const Event& event : trace) {
    const auto* const one = std::get_if<ClientEvent>(&event);
    if (one == nullptr || one->client != client) continue;
    asked |= one->kind == connecting;
    has_connection |= one->kind == connected;
    outcome.refused |= one->kind == refused;
    outcome.met_end |= one->kind == received_end;
    outcome.met_reset |= one->kind == met_reset;
    outcome.reset_it |= one->kind == reset;
    if (one->kind == sent) outcome.sent += one->bytes.size();
    if (one->kind == received) outcome.received += one->bytes.content();
  }
  outcome.turned_away = asked && !has_connection && !outcome.refused;
  return outcome;
}

Outcome play_in_simulation(const Play& play) {
  const Server server = play.server({"127.0.0.1", 8888});
  Scenario scenario(0);
  scenario.clients = play.clients;
  scenario.addresses = play.addresses;
  scenario.capacity = 1U << 20U;
  scenario.max_backlog = 4096;
  if (play.stop_at_rest) scenario.stop_after = ~std::uint32_t{0};
  if (play.most_sockets) scenario.max_sockets = *play.most_sockets;
  if (play.stop_after_ms) {
    // The operator is a client who comes to nobody; what he does last tells where the stop belongs.
    scenario.clients.push_back({script::Pause{*play.stop_after_ms}, script::StopReading{}});
    scenario.stop_after = steps_until_the_operator(server, scenario);
  }
  Run run = simulate(server, scenario);
  EXPECT_TRUE(run.at_rest);
  Outcome outcome;
  for (std::size_t client = 0; client < play.clients.size(); ++client) {
    outcome.clients.push_back(outcome_of(run.trace, static_cast<ClientId>(client + 1)));
  }
  outcome.trace = std::move(run.trace);
  return outcome;
}

// -- The kernel: the server's side -------------------------------------------------------------------------------

/// From here on the process may have so many more descriptors.
void limit_descriptors(std::uint32_t more) {
  int last = 0;
  for (int number = 0; number < 4096; ++number) {
    if (fcntl(number, F_GETFD) >= 0) last = number;
  }
  for (;;) {
    const int filler = fcntl(last, F_DUPFD_CLOEXEC, 0);
    if (filler < last) continue;
    close(filler);
    break;
  }
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = static_cast<rlim_t>(last) + 1 + more;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// Hands everything on, tells once a process listens, and sets the limit of descriptors.
class Watcher final : public TraceSink {
 public:
  Watcher(TraceSink& sink, int news, std::optional<std::uint32_t> most_sockets)
      : sink_(&sink), news_(news), most_sockets_(most_sockets) {}

  ProcessId next_process() override { return sink_->next_process(); }
  void give_back(ProcessId process) override { sink_->give_back(process); }
  void flush() override { sink_->flush(); }
  void write(const ProcessEvent& event) override {
    sink_->write(event);
    if (most_sockets_) limit_descriptors(*std::exchange(most_sockets_, std::nullopt));
    const auto* const listen = exchange_of<Listen>(event);
    if (listen == nullptr || !listen->response || !*listen->response) return;
    if (::write(news_, "l", 1) != 1) std::_Exit(3);
  }

 private:
  TraceSink* sink_;
  int news_;
  std::optional<std::uint32_t> most_sockets_;
};

using RunServer = std::function<void(const Server&, TraceSink&)>;

void run_by_fork(const Server& server, TraceSink& sink) {
  ForkHandler handler;
  Recording recording(handler, sink);
  recording.finish(run(server, recording));
  if (handler.in_first_process()) handler.await_children(patience_ms);
}

RunServer by_loop(LoopReport (*run_loop)(const Server&, const LoopOptions&)) {
  return [run_loop](const Server& server, TraceSink& sink) {
    Stop stop;
    const StopBySignal by_signal(stop);
    LoopOptions options;
    options.stop = &stop;
    options.trace = &sink;
    run_loop(server, options);
    sink.flush();
  };
}

[[noreturn]] void be_the_server(const Play& play, const Endpoint& at, const RunServer& run, const std::string& path,
                                int news) {
  auto file = TraceFile::open(path);
  if (!file) std::_Exit(2);
  (*file)->start({});
  TraceWriter writer(**file);
  Watcher watcher(writer, news, play.most_sockets);
  run(play.server(at), watcher);
  std::_Exit(0);
}

std::vector<Event> read_trace(const std::string& path) {
  std::ifstream text(path);
  TraceReader reader(text);
  std::vector<Event> trace;
  const auto header = reader.header();
  EXPECT_TRUE(header) << header.error().what;
  while (header) {
    auto event = reader.next();
    if (!event) ADD_FAILURE() << "line " << event.error().line << ": " << event.error().what;
    if (!event || !*event) break;
    trace.push_back(*std::move(*event));
  }
  EXPECT_FALSE(reader.cut());
  return trace;
}

// -- The kernel: the other side ----------------------------------------------------------------------------------

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Sees the server through, and what is to happen to it meanwhile.
class Stage {
 public:
  Stage(const Play& play, Endpoint at, pid_t server, int news)
      : play_(&play),
        at_(std::move(at)),
        server_(server),
        news_(news),
        outcomes_(play.clients.size()),
        scripts_under_way_(play.clients.size()) {}

  std::vector<ClientOutcome> see_through() {
    while (!is_over_) {
      pollfd watched{news_, POLLIN, 0};
      poll(&watched, 1, 1 + static_cast<int>(std::clamp<std::int64_t>(next_in().count(), 0, 10)));
      if (watched.revents != 0) hear();
      act_in_time();
    }
    for (std::thread& client : clients_) client.join();
    int status = 0;
    EXPECT_EQ(waitpid(server_, &status, 0), server_);
    EXPECT_EQ(status, 0) << "the server's process";
    return std::move(outcomes_);
  }

 private:
  [[nodiscard]] milliseconds next_in() const {
    return std::chrono::duration_cast<milliseconds>(std::min(stop_at_, give_up_at_) - Clock::now());
  }

  void hear() {
    char word = 0;
    if (read(news_, &word, 1) == 1) {
      if (!std::exchange(has_begun_, true)) begin();
    } else {
      is_over_ = true;  // nobody holds the other end any more
    }
  }

  void begin() {
    if (play_->stop_after_ms) stop_after(*play_->stop_after_ms);
    for (std::size_t client = 0; client < play_->clients.size(); ++client) {
      clients_.emplace_back([this, client] {
        const auto number = static_cast<std::uint32_t>(client);
        RealClient one(number, host_of(number % play_->addresses), at_);
        one.perform(play_->clients[client]);
        --scripts_under_way_;
        outcomes_[client] = one.await_the_end(is_over_);
      });
    }
  }

  void stop_after(std::uint32_t wait_ms) {
    if (!std::exchange(will_stop_, true)) stop_at_ = Clock::now() + milliseconds(wait_ms);
  }

  void act_in_time() {
    if (play_->stop_at_rest && has_begun_ && scripts_under_way_ == 0) stop_after(rest_ms);
    if (Clock::now() >= stop_at_) {
      kill(server_, SIGTERM);
      stop_at_ = Clock::time_point::max();
    }
    if (Clock::now() >= give_up_at_) {
      ADD_FAILURE() << "the server is not over";
      kill(-server_, SIGKILL);
      give_up_at_ = Clock::time_point::max();
    }
  }

  static constexpr std::uint32_t rest_ms = 200;

  const Play* play_;
  Endpoint at_;
  pid_t server_;
  int news_;
  std::vector<ClientOutcome> outcomes_;
  std::vector<std::thread> clients_;
  std::atomic<std::size_t> scripts_under_way_;
  std::atomic<bool> is_over_ = false;
  bool has_begun_ = false;
  bool will_stop_ = false;
  Clock::time_point stop_at_ = Clock::time_point::max();
  Clock::time_point give_up_at_ = Clock::now() + milliseconds(patience_ms);
};

Outcome play_for_real(const Play& play, const RunServer& run) {
  const Endpoint at = free_address();
  const std::string path = testing::TempDir() + "antiphon_parity_" + std::to_string(getpid()) + ".jsonl";
  std::array<int, 2> news{};
  if (pipe2(news.data(), O_CLOEXEC) != 0) {
    ADD_FAILURE() << "pipe2";
    return {};
  }
  const pid_t server = fork();
  if (server == 0) {
    setpgid(0, 0);
    close(news[0]);
    be_the_server(play, at, run, path, news[1]);
  }
  setpgid(server, server);
  close(news[1]);
  Outcome outcome;
  outcome.clients = Stage(play, at, server, news[0]).see_through();
  close(news[0]);
  outcome.trace = read_trace(path);
  std::filesystem::remove(path);
  return outcome;
}

std::optional<std::string> it_can() { return std::nullopt; }

}  // namespace

const Interpreter on_fork{"fork", it_can, [](const Play& play) { return play_for_real(play, run_by_fork); }};
const Interpreter on_epoll{"epoll", it_can,
                           [](const Play& play) { return play_for_real(play, by_loop(run_on_epoll)); }};
const Interpreter on_uring{"uring", why_no_uring,
                           [](const Play& play) { return play_for_real(play, by_loop(run_on_uring)); }};
const Interpreter on_simulated{"simulated", it_can, play_in_simulation};

}  // namespace antiphon::parity
