#include "apps/helper_process.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <system_error>

#include "apps/exit_code.hpp"
#include "apps/server_log.hpp"

namespace antiphon {

namespace {

/// While it lives, signals wait: one that is sent to the whole group must not meet a helper that does not ignore it
/// yet.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeld() { let_go(); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

  void let_go() const { sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

void detach(int socket, int kept) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1}) std::signal(signal, SIG_IGN);
  dup2(socket, STDIN_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  if (kept >= 0) dup2(kept, kept_descriptor);
  close_range(kept >= 0 ? kept_descriptor + 1 : kept_descriptor, ~0U, 0);
}

}  // namespace

HelperProcess start_helper(int type, const char* complaint, const std::function<void()>& work, int kept) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) < 0) {
    throw std::system_error(errno, std::generic_category(), complaint);
  }
  const SignalsHeld held;
  const int pid = fork();
  if (pid == 0) {
    detach(ends[1], kept);
    held.let_go();
    try {
      work();
    } catch (const std::exception& failure) {
      put_line(fmt::format("{}: {}\n", complaint, failure.what()));
    }
    std::_Exit(status_of(ExitCode::violated));
  }
  const int error = errno;
  close(ends[1]);
  if (pid > 0) return {pid, ends[0]};
  close(ends[0]);
  throw std::system_error(error, std::generic_category(), complaint);
}

}  // namespace antiphon
