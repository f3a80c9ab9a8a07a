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

/// Whether it is no step of the scenario's runs, since the script says it.
bool is_said(const Move& move, const Scenario& open, const Scenario& scenario) {
  return is_pass(move) && scenario.clients[move.index] != open.clients[move.index];
}

/// The scenario's clients, faults and stop; what happens when is still to come. Where the way has no end, clients with
/// any number of messages stay so.
Scenario with_adversity(const Server& server, const Scenario& open, const std::vector<Taken>& way, bool ends) {
  Scenario scenario = open;
  std::vector<Done> done(open.clients.size());
  Said said;
  World world(server, open, said, [](const Event&) {});
  for (const Taken& taken : way) {
    const Move& move = taken.move;
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
    if (ends || done[client].reset) scenario.clients[client] = said_in(open.clients[client], done[client]);
  }
  std::uint32_t steps = 0;
  for (const Taken& taken : way) {
    if (taken.move.kind == Move::Kind::stop) {
      scenario.stop_after = steps;
    } else if (!is_said(taken.move, open, scenario)) {
      ++steps;
    }
  }
  return scenario;
}

/// Takes steps and writes down what was chosen.
class Writer {
 public:
  Writer(const Server& server, const Scenario& open, Scenario& scenario)
      : open_(open), scenario_(scenario), world_(server, scenario, said_, [](const Event&) {}) {}

  void write(const Taken& taken) {
    Move move = taken.move;
    if (is_said(move, open_, scenario_)) return;
    if (move.kind == Move::Kind::fault) move = {Move::Kind::process, move.index};  // the plan says the rest
    if (is_reset(move)) move.end = way_on;                                         // as does the script
    if (move.kind != Move::Kind::stop) {
      world_.find_moves(moves_);
      const auto found = std::ranges::find(moves_, move);
      if (moves_.size() > 1) scenario_.choices.push_back(static_cast<std::uint32_t>(found - moves_.begin()));
      scenario_.choices.insert(scenario_.choices.end(), taken.shortfalls.begin(), taken.shortfalls.end());
    }
    said_.begin(taken);
    world_.make(move);
  }

 private:
  const Scenario& open_;
  Scenario& scenario_;
  Said said_;
  World world_;
  std::vector<Move> moves_;
};

}  // namespace

Scenario scenario_of(const Server& server, const Scenario& scope, const std::vector<Taken>& way) {
  return scenario_of(server, scope, way, {});
}

Scenario scenario_of(const Server& server, const Scenario& scope, const std::vector<Taken>& way,
                     const std::vector<Taken>& lap) {
  const Scenario open = left_open(scope);
  Scenario scenario = with_adversity(server, open, way, lap.empty());
  Writer writer(server, open, scenario);
  for (const Taken& taken : way) writer.write(taken);
  const std::size_t before = scenario.choices.size();
  for (const Taken& taken : lap) writer.write(taken);
  scenario.comes_round = static_cast<std::uint32_t>(scenario.choices.size() - before);
  return scenario;
}

}  // namespace antiphon::verify
