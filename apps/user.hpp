#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace antiphon {

/// Whom a server runs as once it has its sockets.
struct User {
  std::string name;  ///< As it was given: NAME or NAME:GROUP.
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  std::vector<std::uint32_t> groups;  ///< All of them.
};

/// The user NAME with its groups, or with GROUP alone. Who is not known is refused, in the option's name.
User user_named(const std::string& option, const std::string& text);

/// Makes this process, with all its threads, one of that user, and makes sure that there is no way back. Throws
/// std::runtime_error, with a line that says why, where it cannot.
void become(const User& user);

}  // namespace antiphon
