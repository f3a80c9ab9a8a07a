#include "verify/mutants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <functional>
#include <set>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/place.hpp"
#include "core/process.hpp"
#include "core/rewrite.hpp"
#include "interpreters/responses.hpp"
#include "verify/alike.hpp"

namespace antiphon::verify {

namespace {

using Branch = ProgramGraph::Branch;
using Node = ProgramGraph::Node;

template <class I>
using Answer = Program<Net, typename I::Response>;

// -- Changing one place -----------------------------------------------------------------------------------------

/// What becomes of an instruction.
template <class I>
using Change = std::function<Answer<I>(const I&)>;

template <class E>
struct ChangesOf;
template <class... Is>
struct ChangesOf<Effects<Is...>> {
  using Type = std::variant<Change<Is>...>;
};
using AnyChange = ChangesOf<Net>::Type;

/// One rule for all: a rewriting is compiled once.
struct AtPlace {
  Place here;
  AnyChange change;

  template <class I>
  Answer<I> operator()(const I& instruction, const Place& place) const {
    const auto* const mine = std::get_if<Change<I>>(&change);
    return mine != nullptr && place == here ? (*mine)(instruction) : Answer<I>(instruction);
  }
};

// -- Responses that could have come -----------------------------------------------------------------------------

template <class I>
struct Success {
  std::string name;
  std::function<typename I::Response(const I&)> response;
};

/// Successes that an instruction may be answered at a site.
template <class I>
std::vector<Success<I>> successes(const Site& site) {
  using Response = typename I::Response;
  if constexpr (std::same_as<I, Recv>) {
    return {{"end of input", [](const I&) -> Response { return Bytes(); }},
            {"one byte", [](const I&) -> Response { return Bytes::copy_of("?"); }}};
  } else if constexpr (std::same_as<I, Send>) {
    return {{"all sent", [](const I& send) -> Response { return send.bytes.size(); }}};
  } else if constexpr (std::same_as<I, Fork>) {
    return {{"Parent", [](const I&) -> Response { return Forked(Parent{Pid{1}}); }},
            {"Child", [](const I&) -> Response { return Forked(Child{}); }}};
  } else if constexpr (std::same_as<Response, Result<Socket>>) {
    return {{fmt::format("socket {}", site.next.number), [next = site.next](const I&) -> Response { return next; }}};
  } else {
    return {{"ok", [](const I&) { return Response(); }}};
  }
}

/// The errors of a branch by number.
std::set<Errno> errors_of(const Branch& branch) {
  std::set<Errno> errors;
  for (const std::string& name : branch.responses) {
    if (const auto error = errno_named(name)) {
      errors.insert(*error);
    } else if (name == "any other error") {
      errors.insert(unlisted_error);
    }
  }
  return errors;
}

/// A branch that the program takes for some errors and for nothing else.
struct ErrorBranch {
  std::string label;
  std::set<Errno> errors;
};

std::vector<ErrorBranch> error_branches(const Node& node) {
  std::vector<ErrorBranch> branches;
  for (const Branch& branch : node.branches) {
    std::set<Errno> errors = errors_of(branch);
    const bool is_known = std::ranges::any_of(branches, [&](const auto& known) { return known.errors == errors; });
    if (is_known || errors.size() != branch.responses.size()) continue;
    branches.push_back({branch.label, std::move(errors)});
  }
  return branches;
}

// -- Swapping ---------------------------------------------------------------------------------------------------

using Running = Process<Net, Result<Unit>, Identified>;

/// A server being run as the state of a loop. Its digest is its identity, so the loop is as finite as the server.
struct Stage {
  Running process;
  std::pair<std::uint64_t, std::uint64_t> digest;

  explicit Stage(Running running)
      : process(std::move(running)), digest(process.digest().low(), process.digest().high()) {}
  static constexpr std::tuple fields{Field{"digest", &Stage::digest}};
};

using Turn = Step<Stage, Result<Unit>>;
using Turns = Program<Net, Turn>;

template <class I>
Running answered(Running process, const typename I::Response& response) {
  process.answer<I>(response);
  return process;
}

Turns go_on(Running process) { return ret(Turn{Continue{Stage(std::move(process))}}); }

/// Whether both stand at one place with one instruction.
bool alike(const Running& one, const Running& other) {
  return issue_the_same(one, other) && place_of(one) == place_of(other);
}

template <class I>
Turns in_order(const Running& process, const I& instruction) {
  return instruction >> [=](const typename I::Response& response) { return go_on(answered<I>(process, response)); };
}

/// Issues what follows an instruction before it, if it follows whatever the response.
template <class I>
Turns swapped(const Running& process, const I& first, const Site& site) {
  const Running after = answered<I>(process, successes<I>(site).front().response(first));
  const Running failing = answered<I>(process, failed(unlisted_error));
  if (!alike(after, failing)) return in_order(process, first);
  Turns turns = in_order(process, first);
  after.pending([&]<class J>(const J& second) {
    turns = second >> [=](const typename J::Response& to_second) {
      return first >> [=](const typename I::Response& to_first) {
        const Running next = answered<I>(process, to_first);
        return go_on(alike(next, after) ? answered<J>(next, to_second) : next);
      };
    };
  });
  return turns;
}

/// The server as one loop, with the instruction at the site swapped with the next.
Server as_loop(const Server& server, const std::optional<Site>& site) {
  return iter(Stage(Running(server)), [=](const Stage& now) -> Turns {
    if (now.process.finished()) return ret(Turn{Break{now.process.result()}});
    std::optional<Turns> turns;
    now.process.pending([&](const auto& instruction) {
      const bool is_here = site && place_of(now.process) == site->place;
      turns = is_here ? swapped(now.process, instruction, *site) : in_order(now.process, instruction);
    });
    return *turns;
  });
}

// -- The mutants of a node --------------------------------------------------------------------------------------

/// The socket that an instruction is issued on; null if on none.
template <class I>
Socket* socket_of(I& instruction) {
  Socket* found = nullptr;
  for_each_field(instruction, [&](std::string_view, auto& member) {
    if constexpr (std::same_as<std::remove_cvref_t<decltype(member)>, Socket>) found = &member;
  });
  return found;
}

/// Which of its fields that is; their number if none.
template <class I>
constexpr std::size_t socket_field() {
  std::size_t number = 0;
  std::apply(
      [&]<class... Fields>(const Fields&... field) {
        static_cast<void>(((std::same_as<decltype(field.member), Socket I::*> || (++number, false)) || ...));
      },
      I::fields);
  return number;
}

/// Makes all mutants of a server.
class Maker {
 public:
  Maker(const Server& server, const GraphLimits& limits) : server_(server), sited_(sited_graph_of(server, limits)) {}

  std::vector<Mutant> make() {
    for (node_ = 0; node_ < sited_.graph.nodes.size(); ++node_) make_here(Net{});
    return std::move(mutants_);
  }

 private:
  [[nodiscard]] const Node& node() const { return sited_.graph.nodes[node_]; }
  [[nodiscard]] const Site& site() const { return sited_.sites[node_]; }

  template <class... Is>
  void make_here(Effects<Is...>) {
    (make_if_here<Is>(), ...);
  }

  template <class I>
  void make_if_here() {
    if (node().instruction != I::name) return;
    drop<I>();
    duplicate<I>();
    retarget<I>();
    swap();
    mistake_responses<I>();
    if constexpr (std::same_as<I, Recv>) off_by_one_in_recv();
    if constexpr (std::same_as<I, Send>) off_by_one_in_send();
    if constexpr (std::same_as<I, Alarm>) off_by_one_in_alarm();
  }

  void add(MutantKind kind, std::string text, Server server, std::optional<Server> original = std::nullopt) {
    mutants_.push_back(
        {kind, node_ + 1, node().instruction, node().line, std::move(text), std::move(server), std::move(original)});
  }

  template <class I>
  void add(MutantKind kind, std::string text, Change<I> change) {
    add(kind, std::move(text), rewrite(server_, AtPlace{site().place, std::move(change)}));
  }

  /// The instruction stays, what it is answered becomes something else.
  template <class I, class Becomes>
  void add_answer(MutantKind kind, std::string text, const Becomes& becomes) {
    add<I>(kind, std::move(text), [becomes](const I& instruction) -> Answer<I> {
      return map(instruction, [=](const typename I::Response& response) { return becomes(instruction, response); });
    });
  }

  /// Whether the response may lead straight back here: a loop that drops its only instruction issues nothing for ever,
  /// which no program may.
  [[nodiscard]] bool leads_back(std::string_view success) const {
    const bool is_gift = success == "one byte" || success.starts_with("socket ");
    const auto is_success = [&](const std::string& response) {
      return response.starts_with(is_gift ? std::string_view(node().gives) : success);
    };
    return std::ranges::any_of(node().branches, [&](const Branch& branch) {
      return branch.target == ProgramGraph::Target(node_) && std::ranges::any_of(branch.responses, is_success);
    });
  }

  template <class I>
  void drop() {
    for (const auto& success : successes<I>(site())) {
      if (leads_back(success.name)) continue;
      add<I>(MutantKind::drop, "is not issued, as if it was answered " + success.name,
             [response = success.response](const I& instruction) { return ret(response(instruction)); });
    }
  }

  template <class I>
  void duplicate() {
    using Response = typename I::Response;
    add<I>(MutantKind::duplicate, "is issued twice, and the first response counts", [](const I& instruction) {
      return instruction >>
             [=](const Response& first) { return instruction >> [=](const Response&) { return ret(first); }; };
    });
    add<I>(MutantKind::duplicate, "is issued twice, and the last response counts",
           [](const I& instruction) { return instruction >> [=](const Response&) { return Answer<I>(instruction); }; });
  }

  template <class I>
  void retarget() {
    // (A Fork need not be for a client.)
    constexpr std::size_t number = socket_field<I>();
    if (number >= node().operands.size()) return;
    const std::vector<std::string>& here = node().operands[number].values;
    for (const Site::Held& other : site().held) {
      const std::string& gift = sited_.graph.nodes[other.node].gives;
      if (std::ranges::find(here, gift) != here.end()) continue;
      add<I>(MutantKind::retarget, fmt::format("is issued on {} in place of {}", gift, here.front()),
             [socket = other.socket](I instruction) -> Answer<I> {
               *socket_of(instruction) = socket;
               return instruction;
             });
    }
  }

  void swap() {
    const auto& branches = node().branches;
    const auto* const next = std::get_if<std::size_t>(&branches.front().target);
    const auto leads_there = [&](const Branch& branch) { return branch.target == branches.front().target; };
    if (next == nullptr || *next == node_ || !std::ranges::all_of(branches, leads_there)) return;
    const Node& second = sited_.graph.nodes[*next];
    const auto is_of_this = [&](const std::string& value) { return value.ends_with(node().gives); };
    for (const ProgramGraph::Operand& operand : second.operands) {
      if (!node().gives.empty() && std::ranges::any_of(operand.values, is_of_this)) return;
    }
    add(MutantKind::swap, fmt::format("is issued after #{} {}, which follows it", *next + 1, second.instruction),
        as_loop(server_, site()), as_loop(server_, std::nullopt));
  }

  template <class I>
  void mistake_responses() {
    using Response = typename I::Response;
    const std::vector<ErrorBranch> branches = error_branches(node());
    for (const auto& success : successes<I>(site())) {
      const auto instead = [&](const std::set<Errno>& errors) {
        return [errors, response = success.response](const I& instruction, const Response& answer) {
          if (answer || (!errors.empty() && !errors.contains(answer.error()))) return answer;
          return response(instruction);
        };
      };
      if (branches.size() > 1) {
        add_answer<I>(MutantKind::ignore_error, "takes any error for " + success.name, instead({}));
      }
      for (const ErrorBranch& branch : branches) {
        add_answer<I>(MutantKind::error_as_success, fmt::format("takes {} for {}", branch.label, success.name),
                      instead(branch.errors));
      }
    }
    for (const ErrorBranch& branch : branches) {
      const Errno error = branch.errors.contains(Errno::CONNRESET) ? Errno::CONNRESET : *branch.errors.begin();
      const std::string name = error == unlisted_error ? "an unknown error" : antiphon::name_of(error);
      add_answer<I>(MutantKind::success_as_error, fmt::format("takes a success for {} ({})", name, branch.label),
                    [error](const I&, const Response& answer) { return answer ? Response(failed(error)) : answer; });
    }
  }

  void off_by_one_in_recv() {
    for (const bool more : {true, false}) {
      add<Recv>(MutantKind::off_by_one, more ? "asks for one byte more" : "asks for one byte less",
                [more](Recv recv) -> Answer<Recv> {
                  recv.at_most += more ? 1 : -1;
                  return recv;
                });
    }
    add_answer<Recv>(MutantKind::off_by_one, "loses the first byte", [](const Recv&, const Result<Bytes>& message) {
      return message ? Result<Bytes>(message->drop(1)) : message;
    });
    add_answer<Recv>(MutantKind::off_by_one, "loses the last byte", [](const Recv&, const Result<Bytes>& message) {
      return message && !message->empty() ? Result<Bytes>(message->take(message->size() - 1)) : message;
    });
  }

  void off_by_one_in_send() {
    add<Send>(MutantKind::off_by_one, "sends all but the last byte", [](Send send) -> Answer<Send> {
      if (!send.bytes.empty()) send.bytes = send.bytes.take(send.bytes.size() - 1);
      return send;
    });
    add<Send>(MutantKind::off_by_one, "sends all but the first byte", [](Send send) -> Answer<Send> {
      send.bytes = send.bytes.drop(1);
      return send;
    });
    using Sent = Result<std::size_t>;
    add_answer<Send>(MutantKind::off_by_one, "counts one byte more", [](const Send& send, const Sent& sent) {
      return sent ? Sent(std::min(*sent + 1, send.bytes.size())) : sent;
    });
    add_answer<Send>(MutantKind::off_by_one, "counts one byte less",
                     [](const Send&, const Sent& sent) { return sent && *sent > 0 ? Sent(*sent - 1) : sent; });
  }

  void off_by_one_in_alarm() {
    if (node().operands.front().values == std::vector<std::string>{"unlimited"}) return;
    for (const bool later : {true, false}) {
      add<Alarm>(MutantKind::off_by_one, later ? "rings a millisecond later" : "rings a millisecond sooner",
                 [later](Alarm alarm) -> Answer<Alarm> {
                   if (alarm.wait_ms != forever_ms) alarm.wait_ms += later ? 1 : -1;
                   return alarm;
                 });
    }
  }

  const Server& server_;
  SitedGraph sited_;
  std::size_t node_ = 0;
  std::vector<Mutant> mutants_;
};

}  // namespace

std::string name_of(const Mutant& mutant) {
  return fmt::format("#{} {} line {}: {}: {}", mutant.node, mutant.instruction, mutant.line,
                     mutant_kind_names[static_cast<std::size_t>(mutant.kind)], mutant.text);
}

std::vector<Mutant> mutants_of(const Server& server, const GraphLimits& limits) { return Maker(server, limits).make(); }

}  // namespace antiphon::verify
