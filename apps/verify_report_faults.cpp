#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "apps/verify_report_parts.hpp"
#include "verify/fault_matrix.hpp"

namespace antiphon {

namespace {

using verify::FaultCell;
using verify::FaultMatrix;
using verify::Survival;

std::string text_of(const FaultCell& cell, std::uint32_t clients) {
  switch (cell.survival) {
    case Survival::served:
      return "served on";
    case Survival::refused:
      return fmt::format("refused {} of {}", clients - cell.served, clients);
    case Survival::stopped:
      return "stopped, said so";
    case Survival::hung:
      return "HUNG";
    case Survival::broke:
      return "BROKE " + cell.what;
    case Survival::parted:
      return "PARTED";
  }
  return "";
}

/// One error of an instruction, or several to which the same happens.
struct Row {
  std::string_view instruction;
  std::vector<std::string> errors;
  std::vector<std::string> outcomes;  ///< By `fault_lengths`.
};

std::vector<Row> rows_of(const FaultMatrix& matrix) {
  std::vector<Row> rows;
  for (std::size_t at = 0; at < matrix.cells.size();) {
    const FaultCell& first = matrix.cells[at];
    std::vector<std::string> outcomes(verify::fault_lengths.size(), "-");
    for (; at < matrix.cells.size() && matrix.cells[at].instruction == first.instruction &&
           matrix.cells[at].error == first.error;
         ++at) {
      const auto column = std::ranges::find(verify::fault_lengths, matrix.cells[at].length);
      outcomes[static_cast<std::size_t>(column - verify::fault_lengths.begin())] =
          text_of(matrix.cells[at], matrix.clients);
    }
    const auto same = std::ranges::find_if(
        rows, [&](const Row& row) { return row.instruction == first.instruction && row.outcomes == outcomes; });
    if (same == rows.end()) {
      rows.push_back({first.instruction, {name_of(first.error)}, outcomes});
    } else {
      same->errors.push_back(name_of(first.error));
    }
  }
  return rows;
}

/// The words in lines of so many columns.
std::vector<std::string> wrapped(const std::vector<std::string>& words, std::size_t width) {
  std::vector<std::string> lines(1);
  for (const std::string& word : words) {
    if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width) lines.emplace_back();
    lines.back() += (lines.back().empty() ? "" : " ") + word;
  }
  return lines;
}

std::string table(const FaultMatrix& matrix) {
  constexpr std::size_t width = 44;
  constexpr auto form = "  {:<15}  {:<44}  {:<16}  {:<16}  {}";
  std::string text;
  const auto add = [&text](std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  };
  const auto times = [](std::size_t column) {
    const std::uint32_t length = verify::fault_lengths.at(column);
    return length == 1 ? std::string("once") : fmt::format("{} times", length);
  };
  add(fmt::format(form, "instruction", "answers", times(0), times(1), times(2)));
  std::string_view last;
  for (const Row& row : rows_of(matrix)) {
    const std::vector<std::string> errors = wrapped(row.errors, width);
    for (std::size_t line = 0; line < errors.size(); ++line) {
      const auto outcome = [&](std::size_t column) { return line == 0 ? row.outcomes[column] : std::string(); };
      add(fmt::format(form, line == 0 && row.instruction != last ? row.instruction : "", errors[line], outcome(0),
                      outcome(1), outcome(2)));
    }
    last = row.instruction;
  }
  return text;
}

std::string bad_cell(const Subject& subject, const VerifyArguments& arguments, const FaultCell& cell) {
  std::string command = replay_command(subject, cell.scenario);
  if (arguments.stage)
    command += fmt::format(" --on {}", verify::stage_names[static_cast<std::size_t>(*arguments.stage)]);
  return fmt::format("{}: {} answers {} {} times: {}\n  {}\n", cell.survival == Survival::hung ? "hung" : "violated",
                     cell.instruction, name_of(cell.error), cell.length, cell.what.empty() ? "no rest" : cell.what,
                     command);
}

std::size_t count(const FaultMatrix& matrix, Survival survival) {
  return static_cast<std::size_t>(std::ranges::count(matrix.cells, survival, &FaultCell::survival));
}

std::string where(const VerifyArguments& arguments) {
  return arguments.stage ? fmt::format("on {}", verify::stage_names[static_cast<std::size_t>(*arguments.stage)])
                         : "simulated";
}

constexpr std::string_view survival_names[] = {"served", "refused", "stopped", "hung", "broke", "parted"};

std::string json_text(const Subject& subject, const VerifyArguments& arguments, const FaultMatrix& matrix) {
  Json cells = Json::array();
  for (const FaultCell& cell : matrix.cells) {
    cells.push_back({{"instruction", cell.instruction},
                     {"error", name_of(cell.error)},
                     {"times", cell.length},
                     {"outcome", survival_names[static_cast<std::size_t>(cell.survival)]},
                     {"served", cell.served},
                     {"what", cell.what}});
  }
  return printed({{"verdict", verify::name_of(matrix.ruling)},
                  {"program", subject.name},
                  {"options", subject.options},
                  {"identity", subject.identity},
                  {"on", where(arguments)},
                  {"clients", matrix.clients},
                  {"never_issued", matrix.untouched},
                  {"canary_found", matrix.canary_found},
                  {"cells", cells}});
}

}  // namespace

std::string report(const Subject& subject, const VerifyArguments& arguments, const FaultMatrix& result) {
  if (arguments.as_json) return json_text(subject, arguments, result);
  std::string text;
  const FaultCell* last = nullptr;  // The shortest of its error is shown.
  for (const FaultCell& cell : result.cells) {
    if (!cell.is_bad()) continue;
    const bool is_next = last != nullptr && last->instruction == cell.instruction && last->error == cell.error;
    if (!is_next) text += bad_cell(subject, arguments, cell);
    last = &cell;
  }
  const std::size_t bad =
      count(result, Survival::hung) + count(result, Survival::broke) + count(result, Survival::parted);
  text += fmt::format("{}: program {}, {}, {} clients, {} cells\n", verify::name_of(result.ruling), text_of(subject),
                      where(arguments), result.clients, result.cells.size());
  text += fmt::format("  served on {}, refused a client {}, stopped and said so {}, bad {}\n",
                      count(result, Survival::served), count(result, Survival::refused),
                      count(result, Survival::stopped), bad);
  if (!result.untouched.empty()) text += fmt::format("  never issued: {}\n", fmt::join(result.untouched, ", "));
  text +=
      fmt::format("  the canary, a server that dies of a reset: {}\n\n", result.canary_found ? "found" : "not found");
  return text + table(result);
}

}  // namespace antiphon
