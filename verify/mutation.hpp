#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/programs/server.hpp"
#include "verify/campaign.hpp"
#include "verify/mutants.hpp"

/// Mutation campaigns: every mutant of a server is put before one strategy after the other, until one tells it from the
/// original.

namespace antiphon::verify {

enum class Fate : std::uint8_t {
  killed,      ///< It breaks a clause that the original keeps.
  equivalent,  ///< Nobody in the world can tell it from the original.
  survived,    ///< Nothing was found, which says nothing.
};

/// What a strategy has to say of a mutant.
struct Opinion {
  Fate fate = Fate::survived;
  std::string clause;           ///< If killed: which.
  std::uint64_t scenarios = 0;  ///< How many were looked at; of an exploration, scopes.
};

/// A way to tell mutants from their originals. It may say `equivalent` only of what it has proved.
struct Strategy {
  std::string name;
  std::function<Opinion(const Server& original, const Mutant& mutant)> judge;
};

/// What a strategy knows of the original, as long as it is asked about the mutants of that one. `make(original)` is
/// what is known at first.
template <class Known>
class OfOriginal {
 public:
  template <class Make>
  Known& of(const Server& original, const Make& make) {
    if (!original_ || original_->root().get() != original.root().get()) known_.emplace(make(original));
    original_ = original;
    return *known_;
  }

 private:
  std::optional<Server> original_;
  std::optional<Known> known_;
};

/// What a server needs to start, and how it may fail.
inline constexpr std::pair<std::string_view, Errno> start_failures[] = {{DiscardChildren::name, Errno::INVAL},
                                                                        {OpenSocket::name, Errno::NFILE},
                                                                        {OpenSocket::name, Errno::ADDRINUSE},
                                                                        {Listen::name, Errno::ADDRINUSE}};

/// A run of a mutant that comes to no rest, where the original's run does, breaks this clause.
inline constexpr std::string_view comes_to_rest = "comes-to-rest";

struct MutationOptions {
  std::uint64_t runs = 1'000;  ///< Random scenarios for each mutant, at most.
  std::uint64_t seed = 1;
  Expectations expectations;
  /// Called for each mutant with what is being done.
  std::function<void(const std::string&)> progress = [](const std::string&) {};
};

/// Proves a mutant equivalent that is the original in other words (verify/same_tree.hpp).
Strategy same_trees();

/// A few scenarios in which the server cannot start: an instruction fails that campaigns leave alone, since a server
/// that ends by it is no bad one.
Strategy failing_starts(const MutationOptions& options);

/// The scenarios of the campaign with all faults and this seed. A run counts against the mutant for what the original
/// does right in the same scenario.
Strategy random_scenarios(const MutationOptions& options);

struct Trial {
  Mutant mutant;
  Fate fate = Fate::survived;
  std::string clause;           ///< If killed.
  std::string strategy;         ///< Which one ended it; none if it survived.
  std::uint64_t scenarios = 0;  ///< Of that strategy; of all if it survived.
  std::string difference;       ///< If it survived: how its tree differs from the original's.
};

struct MutationResult {
  Ruling ruling = Ruling::incomplete;  ///< `violated`: some survived.
  std::vector<Trial> trials;
  Canary canary;  ///< A mutant known to be bad.
  std::vector<std::string> remarks;

  [[nodiscard]] std::uint64_t count(Fate fate) const;
};

/// Puts every mutant of the server before the strategies, in their order.
MutationResult mutation_campaign(const Server& server, const MutationOptions& options,
                                 const std::vector<Strategy>& strategies);
/// With the strategies above, `exhaustive` (verify/exhaustive.hpp) and `bisimilar` (verify/bisimilar.hpp), which proves
/// what the others leave: the cheapest first.
MutationResult mutation_campaign(const Server& server, const MutationOptions& options);

std::string_view name_of(Fate fate);

}  // namespace antiphon::verify
