#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/process.hpp"
#include "core/programs/server.hpp"
#include "core/trace.hpp"
#include "interpreters/program_walk.hpp"

/// How much of a program's text its runs have reached.

namespace antiphon::verify {

/// Counts, in the graph of a program, where its processes came by and what they were answered there.
class Coverage {
 public:
  explicit Coverage(const Server& server);
  Coverage(const Coverage&) = delete;
  Coverage& operator=(const Coverage&) = delete;

  /// Follows the processes of one run of the server: the trace holds all that it takes, so whoever made it needs not
  /// know of this.
  void see(const std::vector<Event>& trace);

  /// A process came to a target. Where it came from one, `count` has said so already.
  void arrive(const ProgramGraph::Target& target);
  /// A process at a node was answered, and came to the target.
  void count(std::size_t node, const ResponseClass& answer, const ProgramGraph::Target& target);

  struct Share {
    std::size_t reached = 0;
    std::size_t all = 0;
  };
  [[nodiscard]] Share points() const;
  [[nodiscard]] Share branches() const;
  /// Errors that can come, each by itself at each point.
  [[nodiscard]] Share errors() const;

  [[nodiscard]] const ProgramGraph& graph() const { return mapped_.graph; }
  /// How often processes came to a node, and went along a branch of it.
  [[nodiscard]] std::uint64_t arrivals(std::size_t node) const { return arrivals_[node]; }
  [[nodiscard]] std::uint64_t passages(std::size_t node, std::size_t branch) const { return passages_[node][branch]; }
  /// How often a response of `Branch::responses` was the answer, whatever it led to.
  [[nodiscard]] std::uint64_t answers(std::size_t node, std::size_t branch, std::size_t response) const;

 private:
  using Running = Process<Net, Result<Unit>>;
  struct Follower {
    Running process;
    ProgramGraph::Target at;
  };

  /// Where an answer that led to a target is counted.
  struct Counters {
    std::uint64_t* answer = nullptr;
    std::uint64_t* passage = nullptr;
  };

  Counters counters_of(std::size_t node, const ResponseClass& answer, const ProgramGraph::Target& target);
  [[nodiscard]] ProgramGraph::Target place_of(const Running& process) const;
  void follow(std::vector<std::optional<Follower>>& followers, const ProcessEvent& event);

  Server server_;
  MappedGraph mapped_;
  std::unordered_map<std::uint64_t, std::size_t> nodes_;  ///< By a hash of the place.
  std::vector<std::uint64_t> arrivals_;
  std::vector<std::vector<std::uint64_t>> passages_;
  std::vector<std::map<ResponseClass, std::uint64_t>> answers_;  ///< All that the graph knows, and no others.
  std::unordered_map<std::uint64_t, Counters> found_;            ///< What was looked up before.
};

}  // namespace antiphon::verify
