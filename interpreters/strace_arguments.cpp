#include "interpreters/strace_arguments.hpp"

#include <algorithm>
#include <charconv>

namespace antiphon::strace {

namespace {

constexpr std::string_view openers = "([{";
constexpr std::string_view closers = ")]}";

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
bool is_letter(char byte) { return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'); }
bool is_word(char byte) { return is_digit(byte) || is_letter(byte) || byte == '_'; }

std::optional<std::size_t> after(std::size_t found, std::size_t length) {
  if (found == std::string_view::npos) return std::nullopt;
  return found + length;
}

std::optional<std::size_t> after_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return std::nullopt;
}

/// `3</tmp/file>`, and not `1<<3`.
bool decorates(std::string_view text, std::size_t at) {
  if (at == 0 || at + 1 >= text.size() || !is_word(text[at - 1])) return false;
  const char first = text[at + 1];
  return first == '/' || first == '\\' || is_letter(first);
}

std::optional<std::size_t> after_decoration(std::string_view text, std::size_t at) {
  const std::string_view content = text.substr(at + 1);
  const std::size_t kind =
      content.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
  // An address has an arrow in it. A path has neither < nor >, which are escaped; of a device its number follows.
  if (content.substr(std::min(kind, content.size())).starts_with(":[")) return after(text.find("]>", at), 2);
  std::size_t depth = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '<') ++depth;
    if (text[at] == '>' && --depth == 0) return at + 1;
  }
  return std::nullopt;
}

std::optional<unsigned> digit(char byte, unsigned base) {
  unsigned value = 16;
  if (is_digit(byte)) value = static_cast<unsigned>(byte - '0');
  if (byte >= 'a' && byte <= 'f') value = static_cast<unsigned>(byte - 'a') + 10;
  if (byte >= 'A' && byte <= 'F') value = static_cast<unsigned>(byte - 'A') + 10;
  if (value >= base) return std::nullopt;
  return value;
}

/// The byte of the escape whose character after the backslash is at `at`, which moves on to its last one.
std::optional<char> unescaped(std::string_view text, std::size_t& at) {
  static constexpr std::string_view names = "abtnvfr";
  if (text[at] == '"' || text[at] == '\\') return text[at];
  if (const std::size_t named = names.find(text[at]); named != std::string_view::npos) {
    return static_cast<char>('\a' + static_cast<int>(named));
  }
  const bool is_hex = text[at] == 'x';
  if (is_hex) ++at;
  const unsigned base = is_hex ? 16 : 8;
  const std::size_t most = is_hex ? 2 : 3;
  unsigned value = 0;
  std::size_t count = 0;
  for (; count < most && at + count < text.size(); ++count) {
    const auto one = digit(text[at + count], base);
    if (!one) break;
    value = value * base + *one;
  }
  if (count == 0 || value > 255) return std::nullopt;
  at += count - 1;
  return static_cast<char>(value);
}

/// Where the item that begins the text ends: at a comma, or at the bracket that closes around it.
std::size_t item_end(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && text[at] != ',' && !closers.contains(text[at])) {
    if (openers.contains(text[at])) {
      at = closing(text, at).value_or(text.size() - 1) + 1;
    } else {
      at = after_token(text, at).value_or(text.size());
    }
  }
  return at;
}

/// `htons(80)`: 80.
std::optional<std::int64_t> port_of(std::string_view text) {
  for (const std::string_view name : {"sin_port", "sin6_port"}) {
    const std::string_view value = field(text, name);
    if (value.starts_with("htons(")) return number(value.substr(value.find('(') + 1));
  }
  return std::nullopt;
}

/// The host: the first string in `inet_addr("…")` or in `inet_pton(AF_INET6, "…", …)`.
std::optional<std::string> host_of(std::string_view text) {
  const std::size_t call = std::min(text.find("inet_addr("), text.find("inet_pton("));
  if (call == std::string_view::npos) return std::nullopt;
  const std::size_t quote = text.find('"', call);
  if (quote == std::string_view::npos) return std::nullopt;
  const auto end = after_string(text, quote);
  const auto host = end ? shown(text.substr(quote, *end - quote)) : std::nullopt;
  if (!host) return std::nullopt;
  return host->bytes;
}

}  // namespace

std::string_view without_spaces(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

std::optional<std::size_t> after_token(std::string_view text, std::size_t at) {
  if (text[at] == '"') return after_string(text, at);
  if (text[at] == '<' && decorates(text, at)) return after_decoration(text, at);
  if (text.substr(at, 2) == "/*") return after(text.find("*/", at), 2);
  return at + 1;
}

std::optional<std::size_t> closing(std::string_view text, std::size_t from) {
  std::size_t depth = 0;
  while (from < text.size()) {
    if (openers.contains(text[from])) ++depth;
    if (closers.contains(text[from]) && --depth == 0) return from;
    const auto next = after_token(text, from);
    if (!next) return std::nullopt;
    from = *next;
  }
  return std::nullopt;
}

std::vector<std::string_view> items(std::string_view text) {
  std::vector<std::string_view> found;
  while (!text.empty()) {
    const std::size_t end = item_end(text);
    if (const std::string_view item = without_spaces(text.substr(0, end)); !item.empty()) found.push_back(item);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return found;
}

std::vector<std::string_view> items_inside(std::string_view text) {
  const std::size_t last = text.empty() || !openers.contains(text[0]) ? 0 : closing(text, 0).value_or(0);
  return last == 0 ? std::vector<std::string_view>() : items(text.substr(1, last - 1));
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const bool is_hex = text.starts_with("0x");
  if (is_hex) {
    // An address may be too large for the type: its bits are kept.
    std::uint64_t bits = 0;
    const auto [end, failure] = std::from_chars(text.data() + 2, text.data() + text.size(), bits, 16);
    if (failure != std::errc{}) return std::nullopt;
    return static_cast<std::int64_t>(bits);
  }
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{}) return std::nullopt;
  return value;
}

std::string_view decoration(std::string_view text) {
  const std::size_t start = text.find('<');
  if (start == std::string_view::npos || (start > 0 && !decorates(text, start))) return "";
  const std::size_t end = after_decoration(text, start).value_or(start + 2);
  return text.substr(start + 1, end - start - 2);
}

std::optional<Shown> shown(std::string_view text) {
  if (text.empty() || text[0] != '"') return std::nullopt;
  const auto end = after_string(text, 0);
  if (!end) return std::nullopt;
  Shown result;
  result.cut = text.substr(*end).starts_with("...");
  result.bytes.reserve(*end / 4);
  for (std::size_t at = 1; at + 1 < *end; ++at) {
    if (text[at] != '\\') {
      result.bytes += text[at];
      continue;
    }
    const auto byte = unescaped(text, ++at);
    if (!byte) return std::nullopt;
    result.bytes += *byte;
  }
  return result;
}

std::vector<std::string_view> fields(std::string_view text, std::string_view name) {
  std::vector<std::string_view> found;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::string_view rest = text.substr(at);
    const bool is_start = at == 0 || !is_word(text[at - 1]);
    if (is_start && rest.starts_with(name) && rest.substr(name.size()).starts_with("=")) {
      const std::string_view value = rest.substr(name.size() + 1);
      found.push_back(value.substr(0, item_end(value)));
    }
    const auto next = after_token(text, at);
    if (!next) break;
    at = *next;
  }
  return found;
}

std::string_view field(std::string_view text, std::string_view name) {
  const auto all = fields(text, name);
  return all.empty() ? std::string_view() : all.front();
}

std::optional<Address> address(std::string_view text) {
  if (text.contains("AF_UNIX")) {
    const std::string_view path = field(text, "sun_path");
    const auto name = shown(path.substr(path.starts_with('@') ? 1 : 0));
    if (!name || name->bytes.empty()) return std::nullopt;
    return Address{name->bytes, std::nullopt};
  }
  const auto port = port_of(text);
  const auto host = host_of(text);
  if (!port || !host) return std::nullopt;
  const std::string shown_host = host->contains(':') ? "[" + *host + "]" : *host;
  return Address{shown_host + ":" + std::to_string(*port), port};
}

bool has_flag(std::string_view text, std::string_view flag) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::string_view rest = text.substr(at);
    const bool is_start = at == 0 || !is_word(text[at - 1]);
    if (is_start && rest.starts_with(flag) && (rest.size() == flag.size() || !is_word(rest[flag.size()]))) return true;
    const auto next = after_token(text, at);
    if (!next) return false;
    at = *next;
  }
  return false;
}

}  // namespace antiphon::strace
