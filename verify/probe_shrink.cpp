#include "verify/probe_shrink.hpp"

#include <algorithm>
#include <utility>

#include "verify/shrink.hpp"

namespace antiphon::verify {

namespace {

/// Pauses are left out or stay: half of one is another script, not a smaller one.
std::vector<std::uint32_t> pauses(const std::vector<Script>& clients) {
  std::vector<std::uint32_t> all;
  for (const Script& script : clients) {
    for (const script::Action& action : script) {
      if (const auto* const pause = std::get_if<script::Pause>(&action)) all.push_back(pause->wait_ms);
    }
  }
  std::ranges::sort(all);
  return all;
}

bool connects(const Script& script) {
  const auto first =
      std::ranges::find_if(script, [](const auto& action) { return !std::holds_alternative<script::Pause>(action); });
  return first != script.end() && std::holds_alternative<script::Connect>(*first);
}

/// How often a Send follows a Send. Whether those arrive apart is a matter of luck: what stood between them stays.
std::ptrdiff_t side_by_side(const std::vector<Script>& clients) {
  constexpr auto sends = [](const script::Action& action) { return std::holds_alternative<script::Send>(action); };
  std::ptrdiff_t count = 0;
  for (const Script& script : clients) {
    for (std::size_t place = 1; place < script.size(); ++place) {
      count += sends(script[place - 1]) && sends(script[place]) ? 1 : 0;
    }
  }
  return count;
}

bool makes_sense(const std::vector<Script>& clients, const std::vector<Script>& of) {
  return !clients.empty() && std::ranges::all_of(clients, connects) && side_by_side(clients) <= side_by_side(of) &&
         std::ranges::includes(pauses(of), pauses(clients));
}

Patience quarter(Patience patience) {
  patience.connect_ms /= 4;
  patience.answer_ms /= 4;
  return patience;
}

/// One search for a smaller visit.
class Search {
 public:
  Search(const Visit& visit, const std::function<bool(const Visit&)>& fails, const std::function<bool()>& is_over)
      : fails_(fails), is_over_(is_over), tried_(visit), shrunk_{visit} {
    tried_.patience = quarter(visit.patience);
    tried_.limit_ms /= 4;
  }

  Shrunk run() {
    while (fewer_clients() || simpler_scripts()) {
    }
    return std::move(shrunk_);
  }

 private:
  std::vector<Script>& clients() { return shrunk_.visit.clients; }
  [[nodiscard]] bool is_over() const { return shrunk_.runs >= most_tried_visits || is_over_(); }

  /// Takes the candidate if it fails too.
  bool take(std::vector<Script> candidate) {
    if (is_over() || !makes_sense(candidate, clients())) return false;
    tried_.clients = std::move(candidate);
    ++shrunk_.runs;
    if (!fails_(tried_)) return false;
    clients() = tried_.clients;
    return true;
  }

  /// Leaves out half of the clients, then quarters, and so on (delta debugging).
  bool fewer_clients() {
    bool found = false;
    for (std::size_t chunk = clients().size() / 2; chunk > 0; chunk /= 2) {
      for (std::size_t from = 0; from + chunk <= clients().size() && !is_over();) {
        std::vector<Script> candidate = clients();
        const auto first = candidate.begin() + static_cast<std::ptrdiff_t>(from);
        candidate.erase(first, first + static_cast<std::ptrdiff_t>(chunk));
        const bool taken = take(std::move(candidate));
        found |= taken;
        if (!taken) from += chunk;
      }
    }
    return found;
  }

  bool simpler_scripts() {
    bool found = false;
    for (std::size_t client = 0; client < clients().size(); ++client) {
      while (simpler_script(client)) found = true;
    }
    return found;
  }

  bool simpler_script(std::size_t client) {
    auto scripts = simpler(clients()[client]);
    while (!is_over()) {
      auto script = scripts.next();
      if (!script) break;
      std::vector<Script> candidate = clients();
      candidate[client] = *std::move(script);
      if (take(std::move(candidate))) return true;
    }
    return false;
  }

  const std::function<bool(const Visit&)>& fails_;
  const std::function<bool()>& is_over_;
  Visit tried_;
  Shrunk shrunk_;
};

}  // namespace

Shrunk shrink_visit(const Visit& visit, const std::function<bool(const Visit&)>& fails,
                    const std::function<bool()>& is_over) {
  return Search(visit, fails, is_over).run();
}

}  // namespace antiphon::verify
