#include "verify/coverage.hpp"

#include <algorithm>
#include <utility>

#include "interpreters/responses.hpp"

namespace antiphon::verify {

namespace {

/// Addresses of a few dozen shapes: any mixing will do.
void mix(std::uint64_t& hash, std::uint64_t word) { hash = (hash ^ (hash >> 29U) ^ word) * 0x9E3779B97F4A7C15ULL; }

std::uint64_t word_of(const antiphon::detail::Shape* shape) { return reinterpret_cast<std::uintptr_t>(shape); }

std::uint64_t hash_of(const Place& place) {
  std::uint64_t hash = place.line;
  for (const auto* const shape : place.shapes) mix(hash, word_of(shape));
  return hash;
}

/// Points and errors are numbers of less than 15 bits (see GraphLimits).
template <class... Alternatives>
std::uint64_t word_of(const std::variant<Alternatives...>& either) {
  return std::visit([&](auto one) { return (static_cast<std::uint64_t>(one) << 1U) | either.index(); }, either);
}

bool is_error(const ResponseClass& what) { return std::holds_alternative<Errno>(what); }

}  // namespace

Coverage::Coverage(const Server& server) : server_(server), mapped_(mapped_graph_of(server)) {
  for (const auto& [place, node] : mapped_.nodes) nodes_.emplace(hash_of(place), node);
  arrivals_.resize(graph().nodes.size());
  for (const auto& branches : mapped_.classes) {
    passages_.emplace_back(branches.size());
    auto& answers = answers_.emplace_back();
    for (const auto& classes : branches) {
      for (const ResponseClass& what : classes) answers.emplace(what, 0);
    }
  }
}

ProgramGraph::Target Coverage::place_of(const Running& process) const {
  if (process.finished()) return process.result() ? End::ok : End::error;
  std::uint64_t hash = 0;
  process.pending([&](const auto& instruction) { hash = instruction.where.line; });
  process.place([&](const antiphon::detail::Shape* shape) { mix(hash, word_of(shape)); });
  const auto found = nodes_.find(hash);
  return found == nodes_.end() ? ProgramGraph::Target(End::not_followed) : found->second;
}

void Coverage::arrive(const ProgramGraph::Target& target) {
  if (const auto* const node = std::get_if<std::size_t>(&target)) ++arrivals_[*node];
}

Coverage::Counters Coverage::counters_of(std::size_t node, const ResponseClass& answer,
                                         const ProgramGraph::Target& target) {
  auto known = answers_[node].find(answer);
  // What the walk did not try, it tried as the error that no list has.
  if (known == answers_[node].end() && is_error(answer)) known = answers_[node].find(unlisted_error);
  if (known == answers_[node].end()) return {};
  Counters counters{&known->second, nullptr};
  const auto& branches = graph().nodes[node].branches;
  for (std::size_t index = 0; index < branches.size(); ++index) {
    const auto& classes = mapped_.classes[node][index];
    const bool of_branch = std::ranges::find(classes, known->first) != classes.end();
    if (of_branch && branches[index].target == target) counters.passage = &passages_[node][index];
  }
  return counters;
}

void Coverage::count(std::size_t node, const ResponseClass& answer, const ProgramGraph::Target& target) {
  const std::uint64_t key = (std::uint64_t{node} << 32U) | (word_of(answer) << 16U) | word_of(target);
  auto found = found_.find(key);
  if (found == found_.end()) found = found_.emplace(key, counters_of(node, answer, target)).first;
  if (found->second.answer != nullptr) ++*found->second.answer;
  if (found->second.passage != nullptr) ++*found->second.passage;
  arrive(target);
}

void Coverage::follow(std::vector<std::optional<Follower>>& followers, const ProcessEvent& event) {
  const auto* const issued = std::get_if<Issued>(&event.what);
  if (issued == nullptr || event.process >= followers.size() || !followers[event.process]) return;
  if (issued->child) {
    if (*issued->child >= followers.size()) followers.resize(*issued->child + 1);
    followers[*issued->child] = followers[event.process];
  }
  Follower& one = *followers[event.process];
  const auto* const node = std::get_if<std::size_t>(&one.at);
  std::visit(
      [&]<class I>(const Exchange<I>& exchange) {
        bool stands_there = false;
        if (node != nullptr) one.process.pending([&]<class J>(const J&) { stands_there = std::same_as<I, J>; });
        if (!stands_there || !exchange.response) return;
        one.process.answer<I>(*exchange.response);
        const ProgramGraph::Target next = place_of(one.process);
        count(*node, class_of(exchange.instruction, *exchange.response), next);
        one.at = next;
      },
      issued->exchange);
}

void Coverage::see(const std::vector<Event>& trace) {
  Running process(server_);
  const ProgramGraph::Target start = place_of(process);
  arrive(start);
  std::vector<std::optional<Follower>> followers;  // the simulator counts processes from 0
  followers.emplace_back(Follower{std::move(process), start});
  for (const Event& event : trace) {
    if (const auto* const of_process = std::get_if<ProcessEvent>(&event)) follow(followers, *of_process);
  }
}

Coverage::Share Coverage::points() const {
  const auto reached = std::ranges::count_if(arrivals_, [](std::uint64_t count) { return count > 0; });
  return {static_cast<std::size_t>(reached), arrivals_.size()};
}

Coverage::Share Coverage::branches() const {
  Share share;
  for (const auto& branches : passages_) {
    share.all += branches.size();
    for (const std::uint64_t count : branches) share.reached += count > 0 ? 1 : 0;
  }
  return share;
}

Coverage::Share Coverage::errors() const {
  Share share;
  for (const auto& answers : answers_) {
    for (const auto& [what, count] : answers) {
      if (!is_error(what)) continue;
      ++share.all;
      share.reached += count > 0 ? 1 : 0;
    }
  }
  return share;
}

std::uint64_t Coverage::answers(std::size_t node, std::size_t branch, std::size_t response) const {
  return answers_[node].at(mapped_.classes[node][branch][response]);
}

}  // namespace antiphon::verify
