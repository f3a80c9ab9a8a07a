#include "interpreters/simulated.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "interpreters/endless.hpp"

namespace antiphon {

Chooser::Chooser(const Scenario& scenario)
    : choices_(&scenario.choices), comes_round_(std::min<std::size_t>(scenario.comes_round, scenario.choices.size())) {
  if (scenario.seed != 0) random_.emplace(scenario.seed);
}

std::optional<std::uint32_t> Chooser::open_choice(std::uint32_t count) {
  if (used_ == choices_->size()) used_ -= comes_round_;
  if (used_ < choices_->size()) return (*choices_)[used_++] % count;
  return random_ ? std::optional(random_->below(count)) : std::nullopt;
}

bool Chooser::is_settled() const { return used_ + comes_round_ >= choices_->size() && (comes_round_ > 0 || !random_); }

std::uint64_t Chooser::place() const {
  if (comes_round_ == 0) return turns_repeat_ == 0 ? turn_ : turn_ % turns_repeat_;
  return used_ == choices_->size() ? used_ - comes_round_ : used_;
}

std::uint32_t Chooser::which(std::uint32_t count) {
  if (count == 1) return 0;
  if (const auto chosen = open_choice(count)) return said_.emplace_back(*chosen);
  turns_repeat_ = std::lcm(turns_repeat_, std::uint64_t{count});
  // (So the next one cannot overflow.)
  if (turns_repeat_ > std::numeric_limits<std::uint32_t>::max()) turns_repeat_ = 0;
  return said_.emplace_back(turn_++ % count);
}

std::uint32_t Chooser::shortfall(std::uint32_t count) {
  if (count <= 1) return 0;
  return said_.emplace_back(open_choice(count).value_or(0));
}

namespace {

/// Runs the scenario's world: its schedule, its stop, and time, which passes when nothing else can happen.
class Simulation {
 public:
  Simulation(const Server& server, const Scenario& scenario, const Spectator& spectator)
      : scenario_(scenario),
        spectator_(spectator),
        chooser_(scenario),
        world_(server, scenario, chooser_, [this](const Event& event) { record(event); }),
        endless_(scenario.free_time) {}

  Run run(std::uint64_t most_steps) {
    while (run_.steps < most_steps && !run_.at_rest && !is_endless_) step();
    if (run_.at_rest) world_.record_pending();
    run_.looks = world_.looks();
    run_.choices = chooser_.said();
    return std::move(run_);
  }

 private:
  static constexpr Move stop{Move::Kind::stop};

  void record(const Event& event) {
    run_.trace.push_back(event);
    if (spectator_.event) spectator_.event(event);
  }

  void make(const Move& move) {
    if (spectator_.before) spectator_.before(world_, move);
    world_.make(move);
    if (spectator_.after) spectator_.after(world_, move);
  }

  [[nodiscard]] bool stop_is_to_come() const { return scenario_.stop_after && !world_.stopped(); }

  void step() {
    if (stop_is_to_come() && run_.steps >= *scenario_.stop_after) make(stop);
    world_.find_moves(moves_);
    if (moves_.empty()) return let_time_pass();
    if (!stop_is_to_come() && notice_endless()) return;
    ++run_.steps;
    const Move& next = moves_[chooser_.which(static_cast<std::uint32_t>(moves_.size()))];
    endless_.took(next);
    make(next);
  }

  void let_time_pass() {
    if (!scenario_.free_time && world_.pass_time()) return;
    if (stop_is_to_come()) return make(stop);
    run_.at_rest = true;
  }

  bool notice_endless() {
    const Endless::Finding finding = endless_.look(world_, chooser_, moves_, run_.trace);
    is_endless_ = finding != Endless::Finding::nothing;
    if (finding == Endless::Finding::lap) {
      run_.lap_from = endless_.from();
      run_.trace.resize(endless_.to());
    }
    return is_endless_;
  }

  const Scenario& scenario_;
  const Spectator& spectator_;
  Run run_;
  Chooser chooser_;
  World world_;
  std::vector<Move> moves_;
  Endless endless_;
  bool is_endless_ = false;
};

}  // namespace

Run simulate(const Server& server, const Scenario& scenario, std::uint64_t most_steps, const Spectator& spectator) {
  return Simulation(server, scenario, spectator).run(most_steps);
}

}  // namespace antiphon
