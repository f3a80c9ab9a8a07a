#include "apps/arguments.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/programs/catalogue.hpp"

namespace antiphon {

namespace {

constexpr double longest_timeout_s = 1e9;

/// The parser's words, in our form and on one line.
Farewell complaint(std::string_view program, const CLI::ParseError& error) {
  return {ExitCode::bad_input, on_one_line(fmt::format("{}: {} (see --help)", program, error.what())) + '\n'};
}

}  // namespace

std::string on_one_line(std::string text) {
  std::ranges::replace_if(text, [](char byte) { return static_cast<unsigned char>(byte) < ' '; }, ' ');
  return text;
}

void refuse(const std::string& option, const std::string& why) { throw CLI::ValidationError(option, why); }

std::int64_t whole_number(const std::string& option, const std::string& text, std::int64_t least, std::int64_t most) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  if (failure == std::errc{} && stop == end && number >= least && number <= most) return number;
  refuse(option, fmt::format("'{}' is not a whole number from {} to {}", text, least, most));
}

std::int64_t seconds(const std::string& option, const std::string& text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (failure == std::errc{} && stop == end && number >= 0 && number <= longest_timeout_s) {
    // To the nearest millisecond, but what is not 0 stays so: 0 often means that there is no limit.
    return std::max<std::int64_t>(std::llround(number * 1000), number > 0 ? 1 : 0);
  }
  refuse(option, fmt::format("'{}' is not a number of seconds from 0 to {:.0f}", text, longest_timeout_s));
}

std::uint64_t size_in_bytes(const std::string& option, const std::string& text, std::uint64_t least,
                            std::uint64_t most) {
  constexpr std::string_view units = "KMG";
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  const std::size_t unit = stop + 1 == end ? units.find(*stop) : std::string_view::npos;
  const std::uint64_t shift = unit == std::string_view::npos ? 0 : 10 * (unit + 1);
  const bool is_whole = failure == std::errc{} && (stop == end || shift > 0);
  if (is_whole && number <= most >> shift && number << shift >= least) return number << shift;
  refuse(option, fmt::format("'{}' is not a size from {}K to {}G, such as 64K, 100M or 2G", text, (least + 1023) >> 10U,
                             most >> 30U));
}

std::size_t choice(const std::string& option, const std::string& text, std::span<const std::string_view> names) {
  const auto found = std::ranges::find(names, text);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  refuse(option, fmt::format("'{}' is none of {}", text, fmt::join(names, ", ")));
}

std::string program_name(const std::string& option, const std::string& text) {
  return std::string(program_names[choice(option, text, program_names)]);
}

CLI::Option* add_text(CLI::App& app, const std::string& name, const std::function<void(const std::string&)>& take) {
  return app.add_option_function<std::string>(name, take);
}

std::optional<Farewell> parse(std::string_view program, CLI::App& app, int count, const char* const* values,
                              const std::string& manual) {
  try {
    app.parse(count, values);
  } catch (const CLI::CallForHelp&) {
    return Farewell{ExitCode::holds, manual};
  } catch (const CLI::CallForVersion& call) {
    return Farewell{ExitCode::holds, std::string(call.what()) + '\n'};
  } catch (const CLI::ParseError& error) {
    return complaint(program, error);
  }
  return std::nullopt;
}

}  // namespace antiphon
