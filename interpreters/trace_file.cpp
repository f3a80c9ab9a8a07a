#include "interpreters/trace_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace antiphon {

namespace {

constexpr std::size_t most_held_back = 65536;

/// Events after which a process may wait long, or a client may have seen the end.
bool is_written_at_once(const ProcessEvent& event) {
  const auto* issued = std::get_if<Issued>(&event.what);
  return issued == nullptr || std::holds_alternative<Exchange<Accept>>(issued->exchange) ||
         std::holds_alternative<Exchange<Close>>(issued->exchange);
}

}  // namespace

std::expected<std::unique_ptr<TraceFile>, std::string> TraceFile::open(const std::string& path) {
  // A pipe without a reader must not hold us; on files O_NONBLOCK does nothing.
  constexpr int how = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  int descriptor = ::open(path.c_str(), how | O_CREAT | O_EXCL, 0600);
  const bool made_here = descriptor >= 0;
  if (!made_here && errno == EEXIST) descriptor = ::open(path.c_str(), how | O_CREAT, 0600);
  if (descriptor < 0) {
    return std::unexpected(fmt::format("cannot write the trace '{}': {}", path, std::strerror(errno)));
  }
  struct stat about{};
  if (fstat(descriptor, &about) == 0 && (S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode))) {
    close(descriptor);
    return std::unexpected(fmt::format("cannot write the trace '{}': lines of several processes mix in a pipe", path));
  }
  return std::unique_ptr<TraceFile>(new TraceFile(path, descriptor, made_here));
}

TraceFile::~TraceFile() {
  flush();
  if (made_here_ && !started_) unlink(path_.c_str());
  close(descriptor_);
}

void TraceFile::start(const TraceHeader& header) {
  struct stat about{};
  const bool has_length = fstat(descriptor_, &about) == 0 && S_ISREG(about.st_mode);
  if (has_length && ftruncate(descriptor_, 0) < 0) return give_up(std::strerror(errno));
  held_back_.insert(0, header_line(header) + '\n');
  started_ = true;
  flush();
}

ProcessId TraceFile::next_process() { return processes_->fetch_add(1) + 1; }

void TraceFile::give_back(ProcessId process) {
  // Another process may have taken the next number since; then this one stays unused.
  std::uint64_t last = process;
  processes_->compare_exchange_strong(last, process - 1);
}

void TraceFile::write(const ProcessEvent& event) {
  if (given_up_->load(std::memory_order_relaxed) != 0) return;
  append_line(held_back_, event);
  if (held_back_.size() >= most_held_back || is_written_at_once(event)) flush();
}

void TraceFile::flush() {
  if (!started_) return;
  std::size_t written = 0;
  while (written < held_back_.size() && given_up_->load(std::memory_order_relaxed) == 0) {
    const ssize_t size = ::write(descriptor_, held_back_.data() + written, held_back_.size() - written);
    if (size >= 0) {
      written += static_cast<std::size_t>(size);
    } else if (errno != EINTR) {
      give_up(std::strerror(errno));
    }
  }
  held_back_.clear();
}

void TraceFile::give_up(const char* reason) {
  if (given_up_->exchange(1) != 0) return;
  const std::string line = fmt::format("the trace '{}' ends here: {}; serving goes on\n", path_, reason);
  std::fputs(line.c_str(), stderr);
}

}  // namespace antiphon
