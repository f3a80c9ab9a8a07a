#include "interpreters/simulated.hpp"

#include <utility>

namespace antiphon {

Chooser::Chooser(const Scenario& scenario) : choices_(&scenario.choices) {
  if (scenario.seed != 0) random_.emplace(scenario.seed);
}

std::optional<std::uint32_t> Chooser::open_choice(std::uint32_t count) {
  if (used_ < choices_->size()) return (*choices_)[used_++] % count;
  return random_ ? std::optional(random_->below(count)) : std::nullopt;
}

std::uint32_t Chooser::which(std::uint32_t count) {
  if (count == 1) return 0;
  const auto chosen = open_choice(count);
  return said_.emplace_back(chosen ? *chosen : turn_++ % count);
}

std::uint32_t Chooser::shortfall(std::uint32_t count) {
  if (count <= 1) return 0;
  return said_.emplace_back(open_choice(count).value_or(0));
}

namespace {

/// Runs the scenario's world: its schedule, its stop, and time, which passes when nothing else can happen.
class Simulation {
 public:
  Simulation(const Server& server, const Scenario& scenario)
      : scenario_(scenario),
        chooser_(scenario),
        world_(server, scenario, chooser_, [this](const Event& event) { run_.trace.push_back(event); }) {}

  Run run(std::uint64_t most_steps) {
    while (run_.steps < most_steps) {
      if (scenario_.stop_after && !world_.stopped() && run_.steps >= *scenario_.stop_after) world_.make(stop);
      world_.find_moves(moves_);
      if (!moves_.empty()) {
        ++run_.steps;
        world_.make(moves_[chooser_.which(static_cast<std::uint32_t>(moves_.size()))]);
      } else if (scenario_.free_time || !world_.pass_time()) {
        if (!scenario_.stop_after || world_.stopped()) {
          run_.at_rest = true;
          break;
        }
        world_.make(stop);
      }
    }
    if (run_.at_rest) world_.record_pending();
    run_.looks = world_.looks();
    run_.choices = chooser_.said();
    return std::move(run_);
  }

 private:
  static constexpr Move stop{Move::Kind::stop};

  const Scenario& scenario_;
  Run run_;
  Chooser chooser_;
  World world_;
  std::vector<Move> moves_;
};

}  // namespace

Run simulate(const Server& server, const Scenario& scenario, std::uint64_t most_steps) {
  return Simulation(server, scenario).run(most_steps);
}

}  // namespace antiphon
