#include "apps/limits.hpp"

#include <fmt/format.h>

#include "apps/arguments.hpp"

namespace antiphon {

void add_limit_options(CLI::App& app, ProgramOptions& options) {
  add_time_limit(app, "--progress-timeout", options.session.progress_ms);
  add_number(app, "--max-per-address", options.server.max_per_address, 1, unlimited - 1);
}

void add_time_limit(CLI::App& app, const std::string& name, std::int64_t& limit_ms) {
  add_text(app, name, [name, &limit_ms](const std::string& text) {
    const std::int64_t limit = seconds(name, text);
    limit_ms = limit == 0 ? forever_ms : limit;
  });
}

void refuse_for_seed(const CLI::App& app, std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    const CLI::Option* const option = app.get_option_no_throw(std::string(name));
    if (option != nullptr && option->count() != 0) refuse(std::string(name), "the program 'seed' does not take it");
  }
}

std::string limits_as_options(const ProgramOptions& options) {
  std::string text;
  if (const std::int64_t limit_ms = options.session.progress_ms; limit_ms != forever_ms) {
    text += fmt::format(" --progress-timeout {}", static_cast<double>(limit_ms) / 1000);
  }
  if (const std::int64_t most = options.server.max_per_address; most != unlimited) {
    text += fmt::format(" --max-per-address {}", most);
  }
  return text.substr(text.empty() ? 0 : 1);
}

}  // namespace antiphon
