// The reader of logs of strace, and the judge of what is read.

#include <optional>
#include <sstream>
#include <string>

#include "tests/fuzz/harness.hpp"
#include "verify/foreign/strace_judge.hpp"

namespace antiphon::fuzz {

void try_input(std::string_view input) {
  const auto judged = [&](std::optional<std::int64_t> port) {
    std::istringstream log{std::string(input)};
    return verify::judge_strace(log, port);
  };
  const auto verdict = judged(std::nullopt);
  if (!verdict) return demand_place_in(input, verdict.error());
  demand_sound(*verdict);
  const bool is_cut = !input.empty() && !input.ends_with('\n');
  demand(!is_cut || verdict->ruling != verify::Ruling::holds, "a log that is cut holds");
  demand_same(*verdict, *judged(std::nullopt));
  if (const auto of_port = judged(7000)) demand_sound(*of_port);
}

}  // namespace antiphon::fuzz
