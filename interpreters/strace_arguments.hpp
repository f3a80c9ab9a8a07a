#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How strace(1) writes the arguments of a system call: numbers, strings in C's notation, `[lists]`, `{fields}`, and
/// with -y a `<path>` behind each descriptor.

namespace antiphon::strace {

/// The text without spaces around it.
std::string_view without_spaces(std::string_view text);

/// Where the next token after the one at `at` begins: a string, what stands behind a descriptor, a comment, or one
/// character. None if it does not end.
std::optional<std::size_t> after_token(std::string_view text, std::size_t at);

/// Where the bracket that is open at `from` closes; none if it does not.
std::optional<std::size_t> closing(std::string_view text, std::size_t from);

/// The parts between commas, those in brackets apart, without white space around.
std::vector<std::string_view> items(std::string_view text);

/// The items of a `[list]`, or of `{fields}`; none of anything else.
std::vector<std::string_view> items_inside(std::string_view text);

/// The number that it begins with: decimal, or hexadecimal with 0x.
std::optional<std::int64_t> number(std::string_view text);

/// What stands behind a descriptor, without its brackets: "TCP:[127.0.0.1:8888->127.0.0.1:5000]"; "" if nothing does.
/// The descriptor itself may be missing.
std::string_view decoration(std::string_view text);

/// A string.
struct Shown {
  std::string bytes;
  bool cut = false;  ///< It was longer: strace shows so much only (-s).
};
/// None: it is no string, or one that cannot be read.
std::optional<Shown> shown(std::string_view text);

/// The values of all `name=value` in it, however deep.
std::vector<std::string_view> fields(std::string_view text, std::string_view name);
/// The first one; "" if there is none.
std::string_view field(std::string_view text, std::string_view name);

/// What is written of a socket's address.
struct Address {
  std::string text;  ///< "127.0.0.1:5000", "[::1]:5000", or the path of a unix socket.
  std::optional<std::int64_t> port;
};
/// None: it is no address, or none with a name.
std::optional<Address> address(std::string_view text);

/// Whether the flag stands in it: `SOCK_CLOEXEC` in `SOCK_STREAM|SOCK_CLOEXEC`. Strings do not count.
bool has_flag(std::string_view text, std::string_view flag);

}  // namespace antiphon::strace
