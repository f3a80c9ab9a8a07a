#include "verify/fault_matrix.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/effects.hpp"
#include "core/programs/seed.hpp"
#include "interpreters/responses.hpp"
#include "interpreters/simulated.hpp"
#include "verify/campaign.hpp"

namespace antiphon::verify {

namespace {

constexpr std::uint32_t first_bytes = 5;
constexpr std::uint32_t more_bytes = 4;
const Script client_script{script::Connect{}, script::Send{first_bytes}, script::Await{first_bytes},
                           script::Send{more_bytes}, script::EndSide{}};
constexpr std::uint32_t all_clients = 3;

bool comes_once(std::string_view instruction) {
  return instruction == OpenSocket::name || instruction == Listen::name || instruction == DiscardChildren::name ||
         instruction == Sleep::name;
}

/// The clients and the faults. One fault hits the second time that the instruction is issued, so that something was
/// served before; what is issued but once is hit the first time.
Scenario scenario_with(std::string_view instruction, Errno error, std::uint32_t length) {
  Scenario scenario(0);
  scenario.clients.assign(all_clients, client_script);
  const std::uint32_t place = fault_place(instruction);
  const std::uint32_t first = length == 1 && !comes_once(instruction) ? 1 : 0;
  for (std::uint32_t nth = first; nth < first + length; ++nth) scenario.faults.push_back({place, nth, error});
  // Nobody rests who lacks nothing.
  if (instruction == Sleep::name) scenario.faults.push_back({fault_place(Accept::name), 0, Errno::MFILE});
  return scenario;
}

template <class Is>
bool has_event(const Run& run, Is is) {
  return std::ranges::any_of(run.trace, [&](const Event& event) {
    const auto* const one = std::get_if<ProcessEvent>(&event);
    return one != nullptr && is(*one);
  });
}

/// The instruction answered the error, by the fault or by itself.
bool was_hit(const Run& run, std::string_view instruction, Errno error) {
  return has_event(run, [&](const ProcessEvent& event) {
    const auto* const issued = std::get_if<Issued>(&event.what);
    return issued != nullptr && std::visit(
                                    [&]<class I>(const Exchange<I>& exchange) {
                                      return I::name == instruction && exchange.response && !*exchange.response &&
                                             exchange.response->error() == error;
                                    },
                                    issued->exchange);
  });
}

/// It got back all that it may ask for, and then the end.
bool was_served(const Run& run, ClientId client, Answers answers) {
  const std::uint64_t due = first_bytes + (answers == Answers::everything ? more_bytes : 0);
  std::uint64_t received = 0;
  bool met_end = false;
  for (const Event& event : run.trace) {
    const auto* const one = std::get_if<ClientEvent>(&event);
    if (one == nullptr || one->client != client) continue;
    if (one->kind == ClientEvent::Kind::received) received += one->bytes.size();
    met_end |= one->kind == ClientEvent::Kind::received_end;
  }
  return met_end && received == due;
}

bool ended_by_an_error(const Run& run) {
  return has_event(run, [](const ProcessEvent& event) {
    const auto* const ended = event.process == 0 ? std::get_if<Ended>(&event.what) : nullptr;
    return ended != nullptr && !ended->result;
  });
}

Performance played(const MakeServer& make, const Scenario& scenario, std::optional<Stage> stage) {
  if (stage) return perform(make, scenario, *stage);
  Performance performance;
  performance.run = simulate(make({"127.0.0.1", 8888}), scenario);
  return performance;
}

void decide(FaultCell& cell, Performance performance, const Expectations& expectations) {
  if (const auto& difference = performance.difference) {
    cell.survival = Survival::parted;
    cell.what = difference->place + ": " + difference->simulated + " in the simulator, " + difference->performed;
    return;
  }
  const bool has_stopped = ended_by_an_error(performance.run);
  const bool is_over = performance.run.at_rest;
  const Verdict verdict = judged(std::move(performance.run), expectations).verdict;
  if (!verdict.violations.empty()) {
    cell.survival = Survival::broke;
    cell.what = verdict.violations.front().clause.name;
  } else if (has_stopped) {
    cell.survival = Survival::stopped;
  } else if (!is_over) {
    cell.survival = Survival::hung;
  } else {
    cell.survival = cell.served == all_clients ? Survival::served : Survival::refused;
  }
}

/// None: the program does not issue that instruction.
std::optional<FaultCell> cell_of(const MakeServer& make, std::string_view instruction, Errno error,
                                 std::uint32_t length, const FaultMatrixOptions& options) {
  FaultCell cell{instruction, error, length, Survival::broke, 0, "", scenario_with(instruction, error, length)};
  Performance performance = played(make, cell.scenario, options.stage);
  // Where the two part, the rest of the run is not known.
  if (!performance.difference && !was_hit(performance.run, instruction, error)) return std::nullopt;
  for (ClientId client = 1; client <= all_clients; ++client) {
    if (was_served(performance.run, client, options.expectations.answers)) ++cell.served;
  }
  decide(cell, std::move(performance), options.expectations);
  return cell;
}

}  // namespace

FaultMatrix fault_matrix(const MakeServer& make, const FaultMatrixOptions& options) {
  FaultMatrix matrix;
  matrix.clients = all_clients;
  for (const std::string_view instruction : faulty_instructions) {
    options.progress(std::string(instruction));
    const std::size_t before = matrix.cells.size();
    for (const Errno error : errors_of(code_of(instruction))) {
      for (const std::uint32_t length : options.lengths) {
        if (auto cell = cell_of(make, instruction, error, length, options)) matrix.cells.push_back(*std::move(cell));
      }
    }
    if (matrix.cells.size() == before) matrix.untouched.push_back(instruction);
  }
  const auto original = [](const Endpoint&) { return seed::echo_server(); };
  FaultMatrixOptions simulated = options;
  simulated.stage.reset();
  const auto canary = cell_of(original, Recv::name, Errno::CONNRESET, 1, simulated);
  matrix.canary_found = canary && canary->is_bad();
  const bool is_bad = std::ranges::any_of(matrix.cells, &FaultCell::is_bad);
  if (is_bad) {
    matrix.ruling = Ruling::violated;
  } else if (matrix.canary_found && !matrix.cells.empty()) {
    matrix.ruling = Ruling::holds;
  }
  return matrix;
}

}  // namespace antiphon::verify
