#include "verify/bisimilar.hpp"

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "core/rewrite.hpp"
#include "interpreters/program_walk.hpp"
#include "interpreters/responses.hpp"
#include "verify/comparison.hpp"

namespace antiphon::verify {

namespace {

/// Bytes for one comparison: many times what the servers of the catalogue need.
constexpr std::uint64_t most_memory = std::uint64_t{256} << 20U;

// -- scopes -----------------------------------------------------------------------------------------------------------

/// Clients that send a message and end their side, through connections that hold so many bytes each way.
Scope quiet(std::uint32_t clients, std::uint32_t size, std::uint32_t capacity) {
  ScopeRequest request;
  request.clients = clients;
  request.messages = 1;
  request.size = size;
  request.capacity = capacity;
  return *scope_of(request);
}

Scope with_stop(Scope scope) {
  scope.adversity.stops = true;
  return scope;
}

Scope with_reset(Scope scope) {
  scope.adversity.resets = true;
  return scope;
}

/// Deadlines may pass at any time.
Scope with_haste(Scope scope) {
  scope.adversity.impatience = true;
  return scope;
}

Scope with_fault(Scope scope, std::string_view instruction, Errno error) {
  scope.adversity.faults.push_back({fault_place(instruction), error});
  return scope;
}

Scope with_fault_twice(Scope scope, std::string_view instruction, Errno error) {
  scope.adversity.faults.push_back({fault_place(instruction), error, true});
  scope.adversity.most_counted = 2;
  return scope;
}

/// Bytes, each read by itself: more than a session tries anything before it gives up.
constexpr std::uint32_t many = 16;

/// A client that never ends its side.
Scope silence() {
  Scope made = quiet(1, 2, 2);
  made.scenario.clients.front().pop_back();
  return made;
}

/// A client that reads nothing of what it asked for.
Scope no_reader() {
  Scope made = quiet(1, 5, 1);
  auto& script = made.scenario.clients.front();
  script.insert(script.begin() + 1, script::StopReading{});
  return made;
}

/// Children may not be discarded. Listen may fail in the same way: then the server closes first, so that for a while
/// nobody but itself knows that it ends.
Scope no_discarding(const Scope& scope, Errno error) {
  return with_fault(with_fault(scope, DiscardChildren::name, error), Listen::name, error);
}

/// There is room for one more process, and for two sockets of each.
Scope crowded() {
  Scope made = quiet(2, 1, 1);
  made.scenario.max_sockets = 2;
  made.scenario.max_processes = 2;
  return made;
}

/// Each error that the instruction is known to give, and one that it is not.
template <class Visit>
void for_each_error(std::string_view instruction, const Visit& visit) {
  for (const Errno error : errors_of(code_of(instruction))) visit(error);
  visit(unlisted_error);
}

/// Each error of the instructions with no other beside it: what one does may hide what another does. It may come each
/// time, so that who gives up does; or twice at most, so that nobody has to.
void add_each_error(std::vector<Scope>& scopes, const Scope& scope, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    for_each_error(name, [&](Errno error) {
      scopes.push_back(with_fault(scope, name, error));
      scopes.push_back(with_fault_twice(scope, name, error));
    });
  }
}

/// Rests of those who lack something; a stop may cut them, and any error.
void add_rests(std::vector<Scope>& scopes, const Scope& scope) {
  const std::pair<std::string_view, Errno> wants[] = {{OpenSocket::name, Errno::ADDRINUSE},
                                                      {Accept::name, Errno::NOMEM},
                                                      {Recv::name, Errno::NOMEM},
                                                      {Send::name, Errno::NOMEM}};
  for (const auto& [name, error_of_want] : wants) {
    const Scope resting = with_fault(scope, name, error_of_want);
    scopes.push_back(with_stop(resting));
    for_each_error(Sleep::name, [&](Errno error) { scopes.push_back(with_fault(resting, Sleep::name, error)); });
  }
}

// -- what the mutated node was answered -------------------------------------------------------------------------------

using Classes = std::set<ResponseClass>;

/// Notes what the instruction at a place is answered. Until it is reached, a mutant is its original: so it is reached
/// in both.
struct Noting {
  Place here;
  std::shared_ptr<Classes> answers;

  template <class I>
  Program<Net, typename I::Response> operator()(const I& instruction, const Place& place) const {
    if (place != here) return instruction;
    return map(instruction, [instruction, noted = answers](const typename I::Response& response) {
      noted->insert(class_of(instruction, response));
      return response;
    });
  }
};

/// A server with small buffers, where its instructions are and what each can be answered, and its mutants.
class SmallServer {
 public:
  explicit SmallServer(const Server& large) : server_(with_small_buffers(large)), mutants_(mutants_of(server_)) {
    MappedGraph mapped = mapped_graph_of(server_);
    nodes_.resize(mapped.graph.nodes.size());
    for (const auto& [place, node] : mapped.nodes) nodes_[node].place = place;
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      for (const auto& branch : mapped.classes[node]) nodes_[node].answers.insert(branch.begin(), branch.end());
    }
  }

  /// What stands for a mutant; null: there is no such.
  [[nodiscard]] const Mutant* mutant_like(const Mutant& large) const {
    const auto found = std::ranges::find(mutants_, name_of(large), [](const Mutant& small) { return name_of(small); });
    return found == mutants_.end() ? nullptr : &*found;
  }

  /// The server, noting what is answered at a node, from 1.
  [[nodiscard]] Server noting(std::size_t node, const std::shared_ptr<Classes>& answers) const {
    return rewrite(server_, Noting{nodes_[node - 1].place, answers});
  }
  [[nodiscard]] const Classes& answers(std::size_t node) const { return nodes_[node - 1].answers; }

 private:
  struct Node {
    Place place;
    Classes answers;  ///< That can come.
  };

  Server server_;
  std::vector<Mutant> mutants_;
  std::vector<Node> nodes_;
};

class Proofs {
 public:
  Opinion judge(const Server& original, const Mutant& mutant) {
    const SmallServer& small = small_.of(original, [](const Server& large) { return SmallServer(large); });
    const Mutant* const like = small.mutant_like(mutant);
    return like == nullptr ? Opinion() : prove(small, *like);
  }

 private:
  [[nodiscard]] Opinion prove(const SmallServer& small, const Mutant& mutant) const {
    const auto noted = std::make_shared<Classes>();
    const Server original = small.noting(mutant.node, noted);
    CompareOptions options;
    options.most_memory = most_memory;
    Opinion opinion;
    for (const Scope& scope : scopes_) {
      ++opinion.scenarios;
      if (compare(original, mutant.server, scope, options).ruling != Ruling::holds) return opinion;
    }
    if (std::ranges::includes(*noted, small.answers(mutant.node))) opinion.fate = Fate::equivalent;
    return opinion;
  }

  std::vector<Scope> scopes_ = scopes_for_proofs();
  OfOriginal<SmallServer> small_;
};

}  // namespace

Server with_small_buffers(const Server& server) {
  return rewrite(server, []<class I>(I instruction) {
    if constexpr (std::same_as<I, Recv>) instruction.at_most = std::min(instruction.at_most, small_buffer);
    return instruction;
  });
}

std::vector<Scope> scopes_for_proofs() {
  const Scope full_reads = quiet(1, small_buffer + 1, small_buffer + 1);
  const Scope two_clients = quiet(2, 1, 1);
  const Scope one_client = quiet(1, 2, 2);
  std::vector<Scope> scopes{full_reads,
                            quiet(1, many, 1),
                            silence(),
                            with_stop(silence()),
                            no_reader(),
                            with_stop(no_reader()),
                            with_fault(no_reader(), Send::name, Errno::EXPIRED),
                            two_clients,
                            with_stop(two_clients),
                            crowded(),
                            no_discarding(crowded(), Errno::INVAL),
                            with_haste(one_client),
                            with_reset(one_client),
                            with_stop(with_reset(with_haste(one_client)))};
  for_each_error(DiscardChildren::name, [&](Errno error) { scopes.push_back(no_discarding(one_client, error)); });
  add_each_error(scopes, one_client,
                 {OpenSocket::name, Listen::name, Accept::name, Fork::name, Recv::name, Send::name, Close::name});
  // A connection that fails may fail at what is issued next.
  add_each_error(scopes, with_fault(one_client, Recv::name, Errno::CONNRESET), {ShutdownSend::name});
  add_rests(scopes, one_client);
  return scopes;
}

Strategy bisimilar() {
  const auto known = std::make_shared<Proofs>();
  return {"bisimilar",
          [known](const Server& original, const Mutant& mutant) { return known->judge(original, mutant); }};
}

}  // namespace antiphon::verify
