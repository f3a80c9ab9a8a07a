#include "apps/metrics_process.hpp"

#include <fmt/format.h>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "apps/exit_code.hpp"
#include "apps/helper_process.hpp"
#include "apps/server_log.hpp"
#include "core/programs/tcp_server.hpp"

namespace antiphon {

namespace {

/// What is wrong, or the address, is one message: its first character tells which.
constexpr char serves = '+';
constexpr char complains = '-';

// -- The process's side ------------------------------------------------------------------------------------------

/// Reads the board whenever it is asked.
class BoardReader final : public prometheus::Collectable {
 public:
  BoardReader(const MetricsBoard& board, ServerFacts facts) : board_(&board), facts_(std::move(facts)) {}
  std::vector<prometheus::MetricFamily> Collect() const override { return families_of(*board_, facts_); }

 private:
  const MetricsBoard* board_;
  ServerFacts facts_;
};

/// Who asks slowly holds a thread, and no longer than this; who keeps a connection without asking holds none for long.
std::vector<std::string> options_of_exposer(const Endpoint& at) {
  return {"listening_ports", text_of(at), "num_threads",           "4",   "request_timeout_ms", "1000",
          "listen_backlog",  "64",        "keep_alive_timeout_ms", "500", "connection_queue",   "16"};
}

void tell_server(char kind, const std::string& text) {
  const std::string message = kind + text;
  send(STDIN_FILENO, message.data(), message.size(), MSG_NOSIGNAL);
}

[[noreturn]] void complain(const std::string& why) {
  tell_server(complains, why);
  std::_Exit(status_of(ExitCode::bad_input));
}

/// Why nobody can listen there. A server that was killed takes its process of the metrics along a moment later, so what
/// is in use is tried anew, as long as the server tries its own address.
Result<Unit> await_free(const Endpoint& at) {
  for (std::int64_t rest_ms = acceptor::first_rest_ms;; rest_ms *= 2) {
    const auto opened = kernel::open_socket(at, kernel::Sharing::alone);
    if (opened) return Unit{};
    if (opened.error() != Errno::ADDRINUSE || rest_ms > acceptor::longest_rest_ms) return failed(opened.error());
    std::this_thread::sleep_for(std::chrono::milliseconds(rest_ms));
  }
}

/// A first process that is killed takes this along at once, whoever else still has the other end.
void end_with(int server) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != server) std::_Exit(status_of(ExitCode::violated));
}

void await_end_of_server() {
  char nothing = 0;
  while (recv(STDIN_FILENO, &nothing, sizeof(nothing), 0) < 0 && errno == EINTR) continue;
}

}  // namespace

void MetricsProcess::serve(const Endpoint& at, const ServerFacts& facts, const sandbox::Sandbox* closed, int server,
                           const std::function<void()>& settle) {
  end_with(server);
  if (alive_.take(0) != SharedLock::Taken::yes) complain("its lock is taken");
  // The library does not say why it cannot bind.
  if (const auto free = await_free(at); !free) complain(explained(free.error()));
  try {
    if (closed != nullptr) closed->confine_thread();
    prometheus::Exposer exposer(options_of_exposer(at));
    const auto reader = std::make_shared<BoardReader>(board_, facts);
    exposer.RegisterCollectable(reader);
    settle();
    // (Who becomes another user has to say it again.)
    end_with(server);
    const auto port = static_cast<std::uint16_t>(exposer.GetListeningPorts().at(0));
    if (closed != nullptr) {
      closed->limit_process();
      closed->filter_all_threads();
    }
    tell_server(serves, text_of(Endpoint{at.host, port}));
    await_end_of_server();
    std::_Exit(status_of(ExitCode::holds));
  } catch (const std::exception& failure) {
    complain(failure.what());
  }
}

// -- The server's side -------------------------------------------------------------------------------------------

std::expected<std::unique_ptr<MetricsProcess>, std::string> MetricsProcess::start(const Endpoint& at,
                                                                                  const ServerFacts& facts,
                                                                                  const sandbox::Sandbox* closed,
                                                                                  const std::function<void()>& settle) {
  std::unique_ptr<MetricsProcess> made(new MetricsProcess(facts.workers));
  const auto work = [&, server = getpid()] { made->serve(at, facts, closed, server, settle); };
  const HelperProcess helper = start_helper(SOCK_SEQPACKET, "cannot start the process of the metrics", work);
  made->pid_ = helper.pid;
  made->socket_ = helper.socket;
  auto bound = made->await_address();
  if (!bound) return std::unexpected(fmt::format("cannot serve metrics at {}: {}", text_of(at), bound.error()));
  made->at_ = *std::move(bound);
  return made;
}

std::expected<std::string, std::string> MetricsProcess::await_address() const {
  std::array<char, 512> message{};
  ssize_t size = -1;
  do {
    size = recv(socket_, message.data(), message.size(), 0);
  } while (size < 0 && errno == EINTR);
  if (size <= 0) return std::unexpected("its process ended");
  std::string text(message.data() + 1, static_cast<std::size_t>(size) - 1);
  if (message[0] == complains) return std::unexpected(text);
  return text;
}

MetricsProcess::~MetricsProcess() {
  shutdown(socket_, SHUT_WR);
  // It ends at once, unless somebody has stopped it; then it goes with us.
  const timeval patience{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  char nothing = 0;
  const ssize_t size = recv(socket_, &nothing, sizeof(nothing), 0);
  close(socket_);
  // Its port is free once it is gone for good.
  if (size == 0) waitpid(pid_, nullptr, 0);
}

bool MetricsProcess::has_died() { return alive_.take(0) == SharedLock::Taken::from_the_dead; }

}  // namespace antiphon
