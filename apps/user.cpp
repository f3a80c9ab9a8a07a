#include "apps/user.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "apps/arguments.hpp"

namespace antiphon {

namespace {

constexpr int most_groups = 65'536;  // NGROUPS_MAX of Linux

[[noreturn]] void fail(const User& user, const std::string& why) {
  throw std::runtime_error(fmt::format("--user: cannot become '{}': {}", user.name, why));
}

std::vector<std::uint32_t> groups_of(const char* name, gid_t group) {
  std::vector<gid_t> groups(64);
  int count = static_cast<int>(groups.size());
  while (getgrouplist(name, group, groups.data(), &count) < 0 && groups.size() < most_groups) {
    groups.resize(std::max<std::size_t>(static_cast<std::size_t>(count), 2 * groups.size()));
    count = static_cast<int>(groups.size());
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

bool is(const std::array<std::uint32_t, 3>& ids, std::uint32_t wanted) {
  return std::ranges::all_of(ids, [=](std::uint32_t id) { return id == wanted; });
}

/// Real, effective and saved are what they should be, and so are the groups.
bool is_now(const User& user) {
  std::array<std::uint32_t, 3> users{};
  std::array<std::uint32_t, 3> groups{};
  if (getresuid(&users[0], &users[1], &users[2]) < 0 || getresgid(&groups[0], &groups[1], &groups[2]) < 0) return false;
  std::vector<std::uint32_t> more(most_groups);
  const int count = getgroups(static_cast<int>(more.size()), more.data());
  if (count < 0) return false;
  more.resize(static_cast<std::size_t>(count));
  std::vector<std::uint32_t> expected = user.groups;
  std::ranges::sort(more);
  std::ranges::sort(expected);
  return is(users, user.user) && is(groups, user.group) && more == expected;
}

/// Tries the ways back: to the superuser, and to whom it was before.
bool can_go_back(const User& user, std::uint32_t user_before, std::uint32_t group_before) {
  for (const std::uint32_t other : {0U, user_before}) {
    if (other != user.user && (setuid(other) == 0 || seteuid(other) == 0)) return true;
  }
  return user.user != 0 && group_before != user.group && (setgid(group_before) == 0 || setegid(group_before) == 0);
}

}  // namespace

User user_named(const std::string& option, const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  const passwd* const found = getpwnam(name.c_str());
  if (found == nullptr) refuse(option, fmt::format("there is no user '{}'", name));
  if (found->pw_uid == 0) refuse(option, fmt::format("'{}' may do everything: there would be a way back", name));
  User user{text, found->pw_uid, found->pw_gid, {}};
  if (colon == std::string::npos) {
    user.groups = groups_of(name.c_str(), found->pw_gid);
    return user;
  }
  const std::string group_name = text.substr(colon + 1);
  const group* const of_group = getgrnam(group_name.c_str());
  if (of_group == nullptr) refuse(option, fmt::format("there is no group '{}'", group_name));
  user.group = of_group->gr_gid;
  user.groups = {of_group->gr_gid};
  return user;
}

void become(const User& user) {
  const std::uint32_t user_before = geteuid();
  const std::uint32_t group_before = getegid();
  // The groups first: once the user has changed they cannot be. (glibc has all threads do the same.)
  if (setgroups(user.groups.size(), user.groups.data()) < 0 || setgid(user.group) < 0 || setuid(user.user) < 0) {
    fail(user, std::strerror(errno));
  }
  if (!is_now(user)) fail(user, "the kernel has it otherwise");
  if (can_go_back(user, user_before, group_before)) fail(user, "there would be a way back");
}

}  // namespace antiphon
