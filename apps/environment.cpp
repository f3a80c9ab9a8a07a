#include "apps/environment.hpp"

#include <charconv>
#include <cstdlib>

namespace antiphon {

std::string taken_from_environment(const char* name) {
  const char* const value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  unsetenv(name);
  return text;
}

std::optional<std::int64_t> number_in(const std::string& text) {
  constexpr std::int64_t most = 1'000'000'000'000'000;
  std::int64_t number = 0;
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || stop != text.data() + text.size() || number < 0 || number > most) return std::nullopt;
  return number;
}

}  // namespace antiphon
