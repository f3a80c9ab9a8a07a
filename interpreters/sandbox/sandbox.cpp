#include "interpreters/sandbox/sandbox.hpp"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ANTIPHON_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ANTIPHON_SANITIZER 1
#endif
#endif

namespace antiphon::sandbox {

namespace {

void check(long outcome, const char* call) {
  if (outcome < 0) throw std::system_error(errno, std::generic_category(), call);
}

constexpr Capability binds_low_ports{CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE", "a listener at a port below 1024"};
constexpr Limit no_dump{RLIMIT_CORE, "RLIMIT_CORE", 0, "a dump would hold what clients sent"};
constexpr Limit no_process{RLIMIT_NPROC, "RLIMIT_NPROC", 0, "it starts no process"};

bool keeps(const std::vector<Capability>& kept, int number) {
  return std::ranges::any_of(kept, [=](const Capability& one) { return one.number == number; });
}

/// Of the calling thread.
void drop_capabilities(const std::vector<Capability>& kept) {
  // The bounding set needs a capability itself, so it comes first, and counts only for a program that is executed.
  for (int number = 0; prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; ++number) {
    if (!keeps(kept, number)) static_cast<void>(prctl(PR_CAPBSET_DROP, number, 0, 0, 0));
  }
  static_cast<void>(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  check(syscall(SYS_capget, &header, sets.data()), "capget");
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> left{};
  for (const Capability& one : kept) {
    const auto word = static_cast<std::size_t>(one.number) / 32;
    const std::uint32_t bit = sets.at(word).permitted & (1U << static_cast<unsigned>(one.number) % 32);
    left.at(word).permitted |= bit;
    left.at(word).effective |= bit;
  }
  const auto is_had_already = [&](std::size_t word) {
    const auto& had = sets.at(word);
    return had.permitted == left.at(word).permitted && had.effective == left.at(word).effective && had.inheritable == 0;
  };
  // (A service manager's own filter may forbid the call.)
  if (is_had_already(0) && is_had_already(1)) return;
  check(syscall(SYS_capset, &header, left.data()), "capset");
}

/// Nothing makes a socket and none takes datagrams: all are connections or listen, and `shutdown_write` keeps them so.
/// There an address is idle, and to look for one at each Send costs more than all that is looked at else.
void let_sends_be(std::vector<Need>& needs) {
  for (Need& need : needs) {
    if (need.what.name == send_on_connection().name) need.what = call(need.what.name);
  }
}

}  // namespace

Profile profile_of(const Reach& reach, const Surroundings& surroundings) {
  const InstructionNames& instructions = reach.listening;
  Profile profile;
  profile.needs = needs_of(reach, surroundings.interpreter);
  const std::vector<Need> own = needs_of(surroundings);
  profile.needs.insert(profile.needs.end(), own.begin(), own.end());
  profile.refusals = refusals_for(instructions, surroundings);

  const bool opens = instructions.contains(OpenSocket::name);
  const bool connects = instructions.contains(Connect::name);
  if (!opens && !connects && !surroundings.notices) let_sends_be(profile.needs);
  profile.grounds = {.folder = surroundings.trace_folder,
                     .binds = opens,
                     .connects = connects,
                     // By a signal of its parent's end.
                     .signals = surroundings.metrics};
  if (opens) profile.keeps.push_back(binds_low_ports);
  if (surroundings.trace_folder && surroundings.folder_of_another) {
    profile.keeps.push_back({CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE", "the trace's folder belongs to another user"});
  }

  profile.limits.push_back(no_dump);
  if (!surroundings.trace && !surroundings.logs_to_file) {
    profile.limits.push_back({RLIMIT_FSIZE, "RLIMIT_FSIZE", 0, "it writes to no file"});
  }
  // (On an io_uring the kernel starts threads of its own, which count.)
  const bool forks = surroundings.interpreter == Interpreter::fork && instructions.contains(Fork::name);
  if (!forks && surroundings.interpreter != Interpreter::uring) {
    profile.limits.push_back(no_process);
  }
  return profile;
}

Profile profile_of_helper(const std::vector<Need>& needs, const Grounds& grounds, bool changes_user) {
  Profile profile;
  profile.grounds = grounds;
  if (grounds.binds) profile.keeps.push_back(binds_low_ports);
  if (changes_user) {
    profile.keeps.push_back({CAP_SETUID, "CAP_SETUID", "--user"});
    profile.keeps.push_back({CAP_SETGID, "CAP_SETGID", "--user"});
  }
  profile.needs = needs_of_any_process();
  profile.refusals = refusals_for({}, {});
  profile.limits = {no_dump, no_process};
  profile.needs.insert(profile.needs.end(), needs.begin(), needs.end());
  return profile;
}

Sandbox::Sandbox(Profile profile) : profile_(std::move(profile)) {
  if (!why_no_filter()) filter_.emplace(profile_.needs, profile_.refusals);
}

void Sandbox::close_thread() const {
  confine_thread();
  if (filter_) filter_->install();
}

void Sandbox::confine_thread() const {
  check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl");
  drop_capabilities(profile_.keeps);
  confine(profile_.grounds);
}

void Sandbox::filter_all_threads() const {
  if (filter_) filter_->install(Filter::On::all_threads);
}

void Sandbox::limit_process() const {
  for (const Limit& limit : profile_.limits) {
    const rlimit both{.rlim_cur = limit.most, .rlim_max = limit.most};
    check(setrlimit(static_cast<__rlimit_resource>(limit.resource), &both), "setrlimit");
  }
}

bool built_with_sanitizer() {
#ifdef ANTIPHON_SANITIZER
  return true;
#else
  return false;
#endif
}

std::vector<std::string> missing_layers() {
  std::vector<std::string> missing = not_confined_by(landlock_version());
  if (const auto why = why_no_filter()) missing.insert(missing.begin(), "seccomp: " + *why);
  return missing;
}

}  // namespace antiphon::sandbox
