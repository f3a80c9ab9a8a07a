#include "apps/sandboxing.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <utility>

#include "core/programs/catalogue.hpp"
#include "interpreters/sandbox/report.hpp"

namespace antiphon {

namespace {

using sandbox::Surroundings;

sandbox::Interpreter interpreter_named(const std::string& name) {
  if (name == "fork") return sandbox::Interpreter::fork;
  return name == "epoll" ? sandbox::Interpreter::epoll : sandbox::Interpreter::uring;
}

bool is_file(int descriptor) {
  struct stat found{};
  return fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode);
}

bool is_of_another(const std::string& folder) {
  struct stat found{};
  return stat(folder.c_str(), &found) == 0 && found.st_uid != geteuid();
}

/// A trace that is a device or standard output stays where it is.
bool may_begin_anew(const std::string& trace) {
  struct stat found{};
  return stat(trace.c_str(), &found) != 0 || S_ISREG(found.st_mode);
}

Surroundings surroundings_of(const ServerArguments& arguments, bool notices) {
  Surroundings surroundings;
  surroundings.interpreter = interpreter_named(arguments.interpreter);
  surroundings.threads = arguments.workers > 1;
  surroundings.trace = arguments.trace.has_value();
  if (arguments.trace && may_begin_anew(*arguments.trace)) {
    surroundings.trace_folder = std::filesystem::absolute(*arguments.trace).parent_path().string();
    surroundings.trace_bounded = arguments.most_trace_bytes != std::uint64_t{unlimited};
    // Another user's capabilities are none.
    surroundings.folder_of_another = !arguments.user && is_of_another(*surroundings.trace_folder);
  }
  // With event loops the judge is in the worker's own thread.
  surroundings.monitor = arguments.monitor && arguments.interpreter == "fork";
  surroundings.aborts = surroundings.monitor && arguments.on_violation == OnViolation::abort;
  surroundings.metrics = arguments.metrics.has_value();
  surroundings.notices = notices;
  surroundings.takes_over = arguments.take_over != 0;
  surroundings.logs_to_file = is_file(STDOUT_FILENO) || is_file(STDERR_FILENO);
  return surroundings;
}

Reach reach_of(const ServerArguments& arguments) {
  return antiphon::reach_of(*program_named(arguments.program, arguments.options));
}

}  // namespace

bool sandbox_is_default() { return !sandbox::built_with_sanitizer(); }

std::optional<std::string> why_no_sandbox() {
  if (!sandbox_is_default()) return "this build has a sanitizer, which needs what no program does";
  const auto why = sandbox::why_no_filter();
  return why ? std::optional("seccomp: " + *why) : std::nullopt;
}

std::string sandbox_report(const ServerArguments& arguments) {
  return fmt::format("program {} on {}{}\n", arguments.program, arguments.interpreter,
                     arguments.workers > 1 ? fmt::format(", {} workers", arguments.workers) : "") +
         sandbox::report(reach_of(arguments), surroundings_of(arguments, std::getenv("NOTIFY_SOCKET") != nullptr));
}

Sandboxing::Sandboxing(const ServerArguments& arguments, const ServerLog& log, bool notices) {
  if (arguments.sandbox == SandboxMode::off) return;
  for (const std::string& missing : sandbox::missing_layers()) {
    log.warn(fmt::format("sandbox: {}; serving goes on with the rest", missing));
  }
  const Reach reach = reach_of(arguments);
  const Surroundings surroundings = surroundings_of(arguments, notices);
  server_.emplace(sandbox::profile_of(reach, surroundings));
  if (surroundings.threads) {
    sandbox::Profile waits = sandbox::profile_of({}, surroundings);
    waits.needs = sandbox::needs_of_main_thread(surroundings);
    main_thread_.emplace(std::move(waits));
  }
  if (surroundings.interpreter == sandbox::Interpreter::uring) {
    const Reach from_start{.anywhere = reach.anywhere, .listening = reach.anywhere, .why_not_exact = ""};
    ring_operations_ = sandbox::ring_operations(sandbox::profile_of(from_start, surroundings).needs);
  }
}

void Sandboxing::close_server() const {
  if (server_) server_->close_thread();
}

void Sandboxing::close_main_thread() const {
  if (main_thread_) main_thread_->close_thread();
}

void Sandboxing::limit_process() const {
  if (server_) server_->limit_process();
}

void close_helper(const std::vector<sandbox::Need>& needs, bool signals) {
  const sandbox::Sandbox closed(sandbox::profile_of_helper(needs, {.folder = {}, .signals = signals}));
  closed.limit_process();
  closed.close_thread();
}

std::optional<sandbox::Sandbox> metrics_sandbox(const ServerArguments& arguments) {
  if (arguments.sandbox != SandboxMode::on) return std::nullopt;
  using sandbox::call;
  constexpr std::uint64_t all_bits = ~std::uint32_t{0};
  const auto control = [](std::string_view only, std::uint64_t what) {
    return call("fcntl", only, {{1, all_bits, what}});
  };
  std::vector<sandbox::Need> needs = sandbox::needs_of_threads();
  for (const sandbox::Need& need : std::initializer_list<sandbox::Need>{
           {"metrics", call("accept"), "who asks"},
           {"metrics", call("accept4"), "who asks"},
           {"metrics", call("recvfrom"), "what is asked, and the server's end"},
           {"metrics", sandbox::send_on_connection(), "the counters"},
           {"metrics", sandbox::shutdown_write(), "the end of an answer"},
           {"metrics", call("setsockopt"), "the library sets options of its connections"},
           {"metrics", call("getsockopt"), "and asks for their errors"},
           {"metrics", call("getsockname"), "and for the address that was asked"},
           {"metrics", control("F_GETFL", F_GETFL), "whether a connection blocks"},
           {"metrics", control("F_SETFL", F_SETFL), "that it does, or does not"},
           {"metrics", control("F_SETFD", F_SETFD), "close-on-exec"},
           {"metrics", call("clock_nanosleep"), "a rest before the next try"},
           {"metrics", call("rseq"), "the C library in a thread that begins"},
           {"metrics", call("set_robust_list"), "the same"},
           {"metrics", call("prctl", "PR_SET_NAME", {{0, all_bits, PR_SET_NAME}}), "a thread's name"},
       }) {
    needs.push_back(need);
  }
  return sandbox::Sandbox(sandbox::profile_of_helper(needs, {.folder = {}, .binds = true}, arguments.user.has_value()));
}

}  // namespace antiphon
