#include "interpreters/sandbox/filter.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <set>
#include <system_error>

#include "interpreters/kernel.hpp"

namespace antiphon::sandbox {

namespace {

static_assert(sizeof(sock_filter) == sizeof(std::uint64_t));

[[noreturn]] void fail(int error, const char* call) { throw std::system_error(error, std::generic_category(), call); }

/// A filter that is being made. libseccomp's functions answer an errno below 0.
class Recipe {
 public:
  Recipe() : context_(seccomp_init(SCMP_ACT_KILL_PROCESS)) {
    if (!context_) fail(ENOMEM, "seccomp_init");
    set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    constexpr std::uint32_t by_binary_tree = 2;
    set(SCMP_FLTATR_CTL_OPTIMIZE, by_binary_tree);
  }

  void add(const Permission& permission, std::uint32_t action) {
    const std::string name(permission.name);
    const int number = seccomp_syscall_resolve_name(name.c_str());
    if (number < 0) fail(EINVAL, name.c_str());
    std::vector<scmp_arg_cmp> conditions;
    conditions.reserve(permission.when.size());
    for (const Condition& condition : permission.when) {
      conditions.push_back({condition.argument, SCMP_CMP_MASKED_EQ, condition.mask, condition.value});
    }
    const int failure = seccomp_rule_add_array(context_.get(), action, number, static_cast<unsigned>(conditions.size()),
                                               conditions.data());
    // (EEXIST: that rule is there already.)
    if (failure < 0 && failure != -EEXIST) fail(-failure, name.c_str());
  }

  /// The instructions, from behind which the kernel's own begin.
  [[nodiscard]] std::vector<std::uint64_t> made(std::vector<std::uint64_t> start) const {
    const kernel::Descriptor file = kernel::needed(memfd_create("filter", MFD_CLOEXEC), "memfd_create");
    if (const int failure = seccomp_export_bpf(context_.get(), file.number()); failure < 0) {
      fail(-failure, "seccomp_export_bpf");
    }
    const off_t size = lseek(file.number(), 0, SEEK_END);
    const std::size_t before = start.size();
    start.resize(before + static_cast<std::size_t>(size) / sizeof(std::uint64_t));
    if (pread(file.number(), start.data() + before, static_cast<std::size_t>(size), 0) != size) fail(EIO, "pread");
    return start;
  }

 private:
  struct Release {
    void operator()(void* context) const { seccomp_release(context); }
  };

  void set(scmp_filter_attr attribute, std::uint32_t value) {
    if (const int failure = seccomp_attr_set(context_.get(), attribute, value); failure < 0) {
      fail(-failure, "seccomp_attr_set");
    }
  }

  std::unique_ptr<void, Release> context_;
};

std::vector<std::uint64_t> let_no_call_through() {
  const std::uint32_t no_call = ~0U;
  const sock_filter instructions[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, no_call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  std::vector<std::uint64_t> start;
  for (const sock_filter& one : instructions) start.push_back(std::bit_cast<std::uint64_t>(one));
  return start;
}

}  // namespace

Filter::Filter(const std::vector<Need>& needs, const std::vector<Refusal>& refusals) {
  Recipe recipe;
  std::set<std::string_view> unconditional;
  for (const Need& need : needs) {
    if (need.what.kind == Permission::Kind::call && need.what.when.empty()) unconditional.insert(need.what.name);
  }
  for (const Need& need : needs) {
    if (need.what.kind != Permission::Kind::call) continue;
    if (need.what.when.empty() || !unconditional.contains(need.what.name)) recipe.add(need.what, SCMP_ACT_ALLOW);
  }
  for (const Refusal& refusal : refusals) {
    if (unconditional.contains(refusal.what.name)) continue;
    recipe.add(refusal.what, SCMP_ACT_ERRNO(static_cast<std::uint32_t>(refusal.error)));
  }
  instructions_ = recipe.made(let_no_call_through());
}

void Filter::install(On threads) const {
  std::vector<sock_filter> copy(instructions_.size());
  std::memcpy(copy.data(), instructions_.data(), instructions_.size() * sizeof(sock_filter));
  const sock_fprog program{static_cast<unsigned short>(copy.size()), copy.data()};
  const unsigned how = threads == On::all_threads ? SECCOMP_FILTER_FLAG_TSYNC : 0;
  const long outcome = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, how, &program);
  if (outcome < 0) fail(errno, "seccomp");
  // (Then it is the number of a thread that would not take it.)
  if (outcome > 0) fail(EBUSY, "seccomp");
}

std::optional<std::string> why_no_filter() {
#ifdef __x86_64__
  const std::uint32_t ends_the_process = SECCOMP_RET_KILL_PROCESS;
  if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &ends_the_process) == 0) return std::nullopt;
  return std::string("this kernel does not have it: ") + std::strerror(errno);
#else
  return "the calls that are needed are known for x86-64 only";
#endif
}

}  // namespace antiphon::sandbox
