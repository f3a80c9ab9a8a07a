#include "apps/inheritance.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "apps/environment.hpp"
#include "apps/exit_code.hpp"
#include "apps/helper_process.hpp"

namespace antiphon {

namespace {

// (The header of glibc 2.36 declares these for C only.)
int pidfd_open(int pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }
int pidfd_getfd(int process, int number) { return static_cast<int>(syscall(SYS_pidfd_getfd, process, number, 0)); }
int pidfd_signal(int process, int signal) {
  return static_cast<int>(syscall(SYS_pidfd_send_signal, process, signal, nullptr, 0));
}

constexpr int first_passed = 3;
constexpr std::int64_t most_passed = 1'000'000;

/// The names of passed descriptors, which colons separate.
std::vector<std::string> names_in(const std::string& text) {
  std::vector<std::string> names(1);
  for (const char byte : text) {
    if (byte == ':') {
      names.emplace_back();
    } else {
      names.back() += byte;
    }
  }
  return names;
}

/// 0: it cannot be known.
int parent_of(int pid) {
  std::ifstream file(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("PPid:\t")) return static_cast<int>(number_in(line.substr(6)).value_or(0));
  }
  return 0;
}

bool run_the_same_file(int one, int other) {
  std::error_code failure;
  const bool same =
      std::filesystem::equivalent(fmt::format("/proc/{}/exe", one), fmt::format("/proc/{}/exe", other), failure);
  return !failure && same;
}

std::string cannot_follow(int pid, int error) {
  const char* const hint = error == EPERM ? " (it takes the same user, and ptrace must be allowed; or root)" : "";
  return fmt::format("--take-over: cannot take the listeners of process {}: {}{}", pid, std::strerror(error), hint);
}

// -- The process that asks an earlier server to stop -------------------------------------------------------------

constexpr char go = 1;

/// Answers an errno, or 0. The end of its server is no word.
[[noreturn]] void ask_when_told() {
  char word = 0;
  if (read(STDIN_FILENO, &word, sizeof(word)) == sizeof(word)) {
    const int error = pidfd_signal(kept_descriptor, SIGTERM) == 0 ? 0 : errno;
    [[maybe_unused]] const ssize_t answered = write(STDIN_FILENO, &error, sizeof(error));
  }
  std::_Exit(status_of(ExitCode::holds));
}

}  // namespace

std::expected<std::size_t, std::string> take_passed(AdoptedListeners& adopted) {
  const std::string pid = taken_from_environment("LISTEN_PID");
  const std::string text = taken_from_environment("LISTEN_FDS");
  const std::vector<std::string> names = names_in(taken_from_environment("LISTEN_FDNAMES"));
  if (text.empty()) return 0;
  if (!pid.empty() && !number_in(pid)) return std::unexpected(fmt::format("LISTEN_PID: '{}' is no process", pid));
  // They may be meant for who started us.
  if (number_in(pid) != getpid()) return 0;
  const auto count = number_in(text);
  if (!count || *count > most_passed) {
    return std::unexpected(fmt::format("LISTEN_FDS: '{}' is no number of descriptors", text));
  }
  for (std::int64_t place = 0; place < *count; ++place) {
    const auto number = static_cast<int>(first_passed + place);
    if (const auto why = adopted.add(kernel::Descriptor(number))) {
      const auto index = static_cast<std::size_t>(place);
      const bool is_named = index < names.size() && !names[index].empty();
      const std::string name = is_named ? fmt::format(" ('{}')", names[index]) : "";
      return std::unexpected(fmt::format("LISTEN_FDS: cannot serve on descriptor {}{}: {}", number, name, *why));
    }
    fcntl(number, F_SETFD, FD_CLOEXEC);
  }
  return static_cast<std::size_t>(*count);
}

std::expected<Predecessor, std::string> Predecessor::named(int pid) {
  kernel::Descriptor process(pidfd_open(pid));
  if (!process.valid()) return std::unexpected(cannot_follow(pid, errno));
  if (const int parent = parent_of(pid); run_the_same_file(pid, parent)) {
    return std::unexpected(fmt::format("--take-over: process {} is one of the server {}", pid, parent));
  }
  return Predecessor(pid, std::move(process));
}

std::optional<std::string> Predecessor::share_listeners(AdoptedListeners& adopted) const {
  std::error_code failure;
  const std::string folder = fmt::format("/proc/{}/fd", pid_);
  for (std::filesystem::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const auto number = number_in(entry->path().filename().string());
    std::error_code gone;
    if (!number || !std::filesystem::read_symlink(entry->path(), gone).string().starts_with("socket:")) continue;
    kernel::Descriptor socket(pidfd_getfd(process_.number(), static_cast<int>(*number)));
    if (!socket.valid()) {
      // It may have been closed since.
      if (errno == EBADF) continue;
      return cannot_follow(pid_, errno);
    }
    static_cast<void>(adopted.add(std::move(socket)));
  }
  if (failure) return cannot_follow(pid_, failure.value() == EACCES ? EPERM : failure.value());
  if (adopted.addresses().empty()) return fmt::format("--take-over: process {} listens nowhere", pid_);
  return std::nullopt;
}

void Predecessor::prepare_stop() {
  const HelperProcess asker = start_helper(SOCK_STREAM, "--take-over", ask_when_told, process_.number());
  asker_ = asker.pid;
  to_asker_ = kernel::Descriptor(asker.socket);
}

std::optional<std::string> Predecessor::stop() {
  int error = 0;
  ssize_t size = write(to_asker_.number(), &go, sizeof(go));
  if (size > 0) {
    do {
      size = read(to_asker_.number(), &error, sizeof(error));
    } while (size < 0 && errno == EINTR);
  }
  const bool is_answered = size == sizeof(error);
  to_asker_ = kernel::Descriptor(-1);
  while (waitpid(asker_, nullptr, 0) < 0 && errno == EINTR) continue;
  if (is_answered && (error == 0 || error == ESRCH)) return std::nullopt;
  return fmt::format("--take-over: cannot stop process {}: {}; it goes on beside", pid_,
                     is_answered ? std::strerror(error) : "who was to ask it has ended");
}

}  // namespace antiphon
