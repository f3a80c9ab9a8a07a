#include "interpreters/sandbox/landlock.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>

#include "interpreters/kernel.hpp"

namespace antiphon::sandbox {

namespace {

// What the headers of Debian 12 do not have yet: see landlock(7), which says which version has what.

/// The rules of the newest version that is known here. A kernel reads as much of it as it is told the size of.
struct Ruleset {
  std::uint64_t files;
  std::uint64_t network;  ///< From version 4 on.
  std::uint64_t scopes;   ///< From version 6 on.
};

constexpr std::uint64_t truncate_file = 1U << 14U;
constexpr std::uint64_t control_device = 1U << 15U;
constexpr std::uint64_t bind_tcp = 1U << 0U;
constexpr std::uint64_t connect_tcp = 1U << 1U;
constexpr std::uint64_t abstract_sockets = 1U << 0U;
constexpr std::uint64_t signals = 1U << 1U;

constexpr std::uint64_t files_of_version_1 = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1U) - 1;

constexpr int with_refer = 2;
constexpr int with_truncate = 3;
constexpr int with_network = 4;
constexpr int with_devices = 5;
constexpr int with_scopes = 6;

std::uint64_t files_of(int version) {
  std::uint64_t files = files_of_version_1;
  if (version >= with_refer) files |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= with_truncate) files |= truncate_file;
  if (version >= with_devices) files |= control_device;
  return files;
}

std::size_t size_for(int version) {
  const std::size_t members = version >= with_scopes ? 3 : version >= with_network ? 2 : 1;
  return members * sizeof(std::uint64_t);
}

void check(long outcome, const char* call) {
  if (outcome < 0) throw std::system_error(errno, std::generic_category(), call);
}

void allow_files_in(const std::string& folder, int rules, int version) {
  const std::uint64_t replaced =
      LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE | truncate_file;
  const kernel::Descriptor parent(open(folder.c_str(), O_PATH | O_CLOEXEC | O_DIRECTORY));
  // Who cannot come there makes no file there either.
  if (!parent.valid()) return;
  const landlock_path_beneath_attr beneath{.allowed_access = replaced & files_of(version),
                                           .parent_fd = parent.number()};
  check(syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0), "landlock_add_rule");
}

}  // namespace

int landlock_version() {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return static_cast<int>(std::max(version, 0L));
}

std::vector<std::string> not_confined_by(int version) {
  if (version == 0) return {"Landlock: this kernel does not have it, or it is not enabled"};
  std::vector<std::string> missing;
  if (version < with_truncate) missing.emplace_back("Landlock: this kernel cannot forbid truncate(2)");
  if (version < with_network) missing.emplace_back("Landlock: this kernel cannot forbid bind(2) and connect(2)");
  if (version < with_scopes) missing.emplace_back("Landlock: this kernel cannot forbid signals to other processes");
  return missing;
}

void confine(const Grounds& grounds) {
  const int version = landlock_version();
  if (version == 0) return;
  const Ruleset confined{
      .files = files_of(version),
      .network = (grounds.binds ? 0 : bind_tcp) | (grounds.connects ? 0 : connect_tcp),
      .scopes = abstract_sockets | (grounds.signals ? 0 : signals),
  };
  const kernel::Descriptor rules =
      kernel::needed(static_cast<int>(syscall(SYS_landlock_create_ruleset, &confined, size_for(version), 0)),
                     "landlock_create_ruleset");
  if (grounds.folder) allow_files_in(*grounds.folder, rules.number(), version);
  check(syscall(SYS_landlock_restrict_self, rules.number(), 0), "landlock_restrict_self");
}

}  // namespace antiphon::sandbox
