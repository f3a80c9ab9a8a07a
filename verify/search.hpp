#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "verify/circles.hpp"
#include "verify/discoveries.hpp"
#include "verify/explorer.hpp"
#include "verify/fingerprints.hpp"
#include "verify/independence.hpp"
#include "verify/position.hpp"

/// What depth-first and breadth-first searches share.

namespace antiphon::verify {

class Search {
 public:
  Search(const Server& server, const Scope& scope, const ExploreOptions& options);
  virtual ~Search() = default;
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;

  Exploration run();

  /// Why what was left out may have mattered, or "".
  [[nodiscard]] const std::string& mistake() const { return independence_.mistake(); }

 protected:
  virtual void search() = 0;
  [[nodiscard]] virtual EndlessRuns endless() const { return EndlessRuns::not_judged; }
  /// Memory for what is still to be done.
  [[nodiscard]] virtual std::uint64_t held_bytes() const = 0;
  /// How far the search is: "depth 7".
  [[nodiscard]] virtual std::string progress() const = 0;
  /// How much of it is done, by a guess; 0: unknown.
  [[nodiscard]] virtual double share_done() const { return 0; }

  [[nodiscard]] bool done() const {
    return !independence_.mistake().empty() || full_ || space_.overflowed() || discoveries_.full();
  }
  Fingerprints::Place see(const Fingerprint& state) {
    const Fingerprints::Place place = seen_.insert(state);
    if (place.is_new && seen_.size() % look_every == 0) look_up();
    return place;
  }

  const ExploreOptions& options_;
  const std::unique_ptr<StateSpace> owned_space_;
  StateSpace& space_;
  Position position_;
  Independence independence_;
  Discoveries discoveries_;
  Fingerprints seen_;
  Exploration result_;

 private:
  static constexpr std::uint64_t look_every = 1U << 8U;
  static constexpr std::uint64_t tell_every = 1U << 16U;

  void look_up();
  [[nodiscard]] std::string pace() const;
  void finish();

  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  bool full_ = false;
};

/// Finds strongly connected components on the way (R. Tarjan, 1972). Where a component has no way out, the search would
/// go round in it and never come to what it left out: there everything is tried (A. Valmari's condition for safety).
/// Components are also where circles are in which a client waits for ever.
class DepthFirst : public Search {
 public:
  using Search::Search;

 private:
  /// A state on the way, and its outcomes in `outcomes_`.
  struct Frame {
    std::uint32_t number;
    std::uint32_t lowest;  ///< The first state of its component that is known so far.
    std::size_t first;     ///< Of its outcomes.
    std::size_t next;
    std::size_t needed;  ///< So far will do, unless they lead round a circle.
    std::size_t end;
    bool leads_out;  ///< A state of the component leads to one of another.
  };

  void search() override;
  [[nodiscard]] EndlessRuns endless() const override;
  [[nodiscard]] std::uint64_t held_bytes() const override;
  [[nodiscard]] std::string progress() const override;
  [[nodiscard]] double share_done() const override;

  void enter(std::uint32_t number);
  void follow(Frame& top);
  void leave();
  void complete(std::uint32_t first);
  void judge_circles();
  void judge(const Circle& circle);
  [[nodiscard]] Component::Actors actors_here() const;
  [[nodiscard]] std::vector<Taken> way_here() const;
  [[nodiscard]] std::vector<Taken> way_here(const Outcome& last) const;

  std::vector<Frame> way_;
  std::vector<const Outcome*> outcomes_;  ///< Of all frames.
  std::vector<bool> open_;                ///< By the states' numbers: its component is not complete yet.

  // Of the components that are not complete.
  std::vector<std::uint32_t> component_;
  std::vector<Component::Actors> actors_;
  std::vector<Component::Edge> edges_;
  bool met_circle_ = false;  ///< One without adversity.
  bool undecided_ = false;   ///< One that may or may not be fair.
};

/// Comes by each state on one of the shortest ways to it. Whoever was left out must not be left out all the way round a
/// circle: where no outcome leads to a state whose turn is still to come, everything is tried.
class BreadthFirst : public Search {
 public:
  using Search::Search;

 private:
  /// Where a state was reached from.
  struct Origin {
    std::uint32_t state;
    std::uint32_t depth;
    const Outcome* outcome;
  };
  struct Waiting {
    State state;
    std::uint32_t number;
  };

  void search() override;
  [[nodiscard]] std::uint64_t held_bytes() const override;
  [[nodiscard]] std::string progress() const override;

  void expand(const State& state, std::uint32_t number);
  [[nodiscard]] std::vector<Taken> way_to(std::uint32_t number) const;

  std::deque<Waiting> waiting_;
  std::vector<Origin> origins_;
  std::vector<const Outcome*> outcomes_;
};

}  // namespace antiphon::verify
