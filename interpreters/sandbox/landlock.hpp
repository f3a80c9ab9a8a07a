#pragma once

#include <optional>
#include <string>
#include <vector>

namespace antiphon::sandbox {

/// What a thread may still do with files, ports and other processes. The default is nothing; what is open stays open.
struct Grounds {
  std::optional<std::string> folder;  ///< Files below it may be made, written, cut, renamed and removed. Not read.
  bool binds = false;                 ///< It may give sockets an address.
  bool connects = false;              ///< It may connect.
  bool signals = false;               ///< It may send signals to processes that are not as confined as it is.
};

/// Confines the calling thread, which must have set no_new_privs, and what it forks. What the kernel's Landlock is too
/// old for is not confined. Throws std::system_error.
void confine(const Grounds& grounds);

/// The version of this kernel's Landlock; 0: it has none.
int landlock_version();

/// What the version cannot confine, in a few words each.
std::vector<std::string> not_confined_by(int version);

}  // namespace antiphon::sandbox
