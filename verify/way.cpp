#include "verify/way.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>

#include "verify/scope.hpp"

namespace antiphon::verify {

namespace {

/// Answers with what the way says.
class Said : public Shortfalls {
 public:
  void begin(const Taken& taken) {
    taken_ = &taken;
    at_ = 0;
  }
  std::uint32_t shortfall(std::uint32_t count) override {
    if (count <= 1 || taken_ == nullptr || at_ >= taken_->shortfalls.size()) return 0;
    return std::min(taken_->shortfalls[at_++], count - 1);
  }

 private:
  const Taken* taken_ = nullptr;
  std::size_t at_ = 0;
};

/// What a client did on the way, where its script left that open.
struct Done {
  std::map<std::uint32_t, std::uint32_t> messages;  ///< Of each SendAny, by its place in the script.
  std::optional<world::Client> reset;               ///< It reset, when it stood there.
};

/// The script with all that said in it.
Script said_in(const Script& script, const Done& done) {
  Script all;
  for (std::uint32_t at = 0; at < script.size(); ++at) {
    if (done.reset && at > done.reset->at) break;
    const bool cut_here = done.reset && at == done.reset->at;
    if (const auto* const any = std::get_if<script::SendAny>(&script[at])) {
      const auto sent = done.messages.find(at);
      const std::uint32_t count = sent == done.messages.end() ? 0 : sent->second;
      for (std::uint32_t message = 0; message < count; ++message) all.emplace_back(script::Send{any->count});
    } else if (!cut_here || done.reset->in_action) {
      all.push_back(script[at]);
    }
    if (cut_here && done.reset->in_action) std::get<script::Send>(all.back()).count -= done.reset->left;
  }
  if (done.reset) all.emplace_back(script::Reset{});
  return all;
}

bool is_reset(const Move& move) { return move.kind == Move::Kind::client && move.end == way_resets; }
bool is_pass(const Move& move) { return move.kind == Move::Kind::client && move.end == way_past; }

/// The scenario's clients, faults and stop; what happens when is still to come.
Scenario with_adversity(const Server& server, const Scenario& open, const std::vector<Taken>& way) {
  Scenario scenario = open;
  std::vector<Done> done(open.clients.size());
  Said said;
  World world(server, open, said, [](const Event&) {});
  std::uint32_t steps = 0;
  for (const Taken& taken : way) {
    const Move& move = taken.move;
    if (move.kind == Move::Kind::stop) {
      scenario.stop_after = steps;
    } else if (!is_pass(move)) {
      ++steps;
    }
    if (move.kind == Move::Kind::fault) {
      world.processes()[move.index].process->pending([&]<class I>(const I&) {
        scenario.faults.push_back({fault_place(I::name), world.ordinal(move.index), move.error});
      });
    }
    if (move.kind == Move::Kind::client) {
      const world::Client& client = world.clients()[move.index];
      if (is_reset(move)) done[move.index].reset = client;
      if (move.end == way_on && !client.in_action) ++done[move.index].messages[client.at];
    }
    said.begin(taken);
    world.make(move);
  }
  for (std::size_t client = 0; client < done.size(); ++client) {
    scenario.clients[client] = said_in(open.clients[client], done[client]);
  }
  return scenario;
}

}  // namespace

Scenario scenario_of(const Server& server, const Scenario& scope, const std::vector<Taken>& way) {
  Scenario scenario = with_adversity(server, left_open(scope), way);
  Said said;
  World world(server, scenario, said, [](const Event&) {});
  std::vector<Move> moves;
  for (const Taken& taken : way) {
    Move move = taken.move;
    if (is_pass(move)) continue;                                                   // the script says it
    if (move.kind == Move::Kind::fault) move = {Move::Kind::process, move.index};  // the plan says the rest
    if (is_reset(move)) move.end = way_on;                                         // as does the script
    if (move.kind != Move::Kind::stop) {
      world.find_moves(moves);
      const auto found = std::ranges::find(moves, move);
      if (moves.size() > 1) scenario.choices.push_back(static_cast<std::uint32_t>(found - moves.begin()));
      scenario.choices.insert(scenario.choices.end(), taken.shortfalls.begin(), taken.shortfalls.end());
    }
    said.begin(taken);
    world.make(move);
  }
  return scenario;
}

}  // namespace antiphon::verify
