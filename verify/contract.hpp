#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/trace.hpp"
#include "interpreters/operands.hpp"
#include "verify/family.hpp"

/// Contracts, as in FreeSpec: a witness (what has to be remembered), what the program must respect before an
/// instruction takes effect, what the interpreter promises about its response, and how an event moves the witness.
///
/// A contract is a copyable struct with
///
///     using Witness = …;                                             // hashable: Described, or built of such
///     static constexpr Clause clause{"name", "what always holds, in a sentence"};
///     void caller(const Witness&, const Seen&, Report&) const;       // the program's obligation
///     void callee(const Witness&, const Seen&, Report&) const;       // the interpreter's obligation
///     void move(Witness&, const Seen&) const;                        // after both
///     void at_end(const Witness&, const Family&, Report&) const;     // once nothing more happens
///     void while_endless(const Witness&, Report&) const;             // what is wrong if it stays so for ever
///
/// of which only `clause` and `Witness` are required. `a * b` keeps two contracts with a witness each; `a ^ b` keeps
/// two that share one witness, which moves once, as `a` says.

namespace antiphon::verify {

struct Clause {
  std::string_view name;
  std::string_view text;
};

/// Up to how many clients nobody may be refused.
struct Places {
  std::int64_t max_connections = 0;
  std::int64_t max_per_address = unlimited;  ///< Of those at one address.
};

/// An event and what stood before it.
struct Seen {
  Seen(const Event& the_event, const Family& family);

  const Event& event;
  const Family& before;
  /// The connections that nobody holds any more once this event has happened.
  std::vector<ConnectionId> last_releases;

  /// The process's event, or null.
  [[nodiscard]] const ProcessEvent* process_event() const { return std::get_if<ProcessEvent>(&event); }
  /// The issued instruction if it is an I, or null.
  template <Instruction I>
  [[nodiscard]] const Exchange<I>* issued() const {
    return exchange_ == nullptr ? nullptr : std::get_if<Exchange<I>>(exchange_);
  }
  /// Any instruction that was issued, or null.
  [[nodiscard]] const AnyExchange<Net>* exchange() const { return exchange_; }
  [[nodiscard]] const Ended* ended() const {
    const ProcessEvent* const of_process = process_event();
    return of_process == nullptr ? nullptr : std::get_if<Ended>(&of_process->what);
  }
  [[nodiscard]] const ClientEvent* client_event() const { return std::get_if<ClientEvent>(&event); }
  [[nodiscard]] ProcessId process() const { return process_event()->process; }
  /// The process of this event, which is one.
  [[nodiscard]] const ProcessState& actor() const { return *actor_; }
  /// What the instruction is about; none if it is about no socket, or the process does not hold it.
  [[nodiscard]] const std::optional<Held>& held() const { return held_; }
  /// The same, if it is a connection: what is known of it, or null.
  [[nodiscard]] const ConnectionState* connection() const {
    return held_ && !held_->listener ? before.connection(held_->connection) : nullptr;
  }
  /// What excuses a connection that is let go of. Refusing a client needs a Fork that failed although it allowed as
  /// many children as there are places.
  [[nodiscard]] Excuse excuse(const ConnectionState& connection, const Places& places) const;

 private:
  void note_releases();

  const ProcessState* actor_ = nullptr;
  const AnyExchange<Net>* exchange_ = nullptr;
  std::optional<Held> held_;
};

/// Who broke a clause.
enum class Party : std::uint8_t { program, interpreter };

struct Breach {
  Clause clause;
  Party party;
  std::string sentence;
};

/// Collects breaches, the first of each clause.
class Report {
 public:
  void breach(const Clause& clause, Party party, std::string sentence);
  /// Whether the clause is broken already: then no sentence is needed.
  [[nodiscard]] bool knows(const Clause& clause) const;
  [[nodiscard]] const std::vector<Breach>& breaches() const { return breaches_; }
  /// What cannot be told from the run, in a sentence.
  void leave_open(std::string remark);
  [[nodiscard]] const std::vector<std::string>& open() const { return open_; }

 private:
  std::vector<Breach> breaches_;
  std::vector<std::string> open_;  ///< Each once.
};

/// Of what was wrong so far, keeps what is so here too.
inline void keep_lasting(std::vector<Breach>& lasting, const std::vector<Breach>& here) {
  std::erase_if(lasting, [&](const Breach& one) {
    return std::ranges::find(here, one.sentence, &Breach::sentence) == here.end();
  });
}

template <class C>
concept Contract = std::copyable<C> && std::copyable<typename C::Witness>;

namespace detail {

template <Contract C>
void caller(const C& contract, const typename C::Witness& witness, const Seen& seen, Report& report) {
  if constexpr (requires { contract.caller(witness, seen, report); }) contract.caller(witness, seen, report);
}
template <Contract C>
void callee(const C& contract, const typename C::Witness& witness, const Seen& seen, Report& report) {
  if constexpr (requires { contract.callee(witness, seen, report); }) contract.callee(witness, seen, report);
}
template <Contract C>
void move(const C& contract, typename C::Witness& witness, const Seen& seen) {
  if constexpr (requires { contract.move(witness, seen); }) contract.move(witness, seen);
}
template <Contract C>
void at_end(const C& contract, const typename C::Witness& witness, const Family& family, Report& report) {
  if constexpr (requires { contract.at_end(witness, family, report); }) contract.at_end(witness, family, report);
}
template <Contract C>
void while_endless(const C& contract, const typename C::Witness& witness, Report& report) {
  if constexpr (requires { contract.while_endless(witness, report); }) contract.while_endless(witness, report);
}

}  // namespace detail

/// Both, each with its own witness.
template <Contract A, Contract B>
struct Product {
  using Witness = std::pair<typename A::Witness, typename B::Witness>;
  A first;
  B second;

  void caller(const Witness& witness, const Seen& seen, Report& report) const {
    detail::caller(first, witness.first, seen, report);
    detail::caller(second, witness.second, seen, report);
  }
  void callee(const Witness& witness, const Seen& seen, Report& report) const {
    detail::callee(first, witness.first, seen, report);
    detail::callee(second, witness.second, seen, report);
  }
  void move(Witness& witness, const Seen& seen) const {
    detail::move(first, witness.first, seen);
    detail::move(second, witness.second, seen);
  }
  void at_end(const Witness& witness, const Family& family, Report& report) const {
    detail::at_end(first, witness.first, family, report);
    detail::at_end(second, witness.second, family, report);
  }
  void while_endless(const Witness& witness, Report& report) const {
    detail::while_endless(first, witness.first, report);
    detail::while_endless(second, witness.second, report);
  }
};

/// Both, over one witness that the first moves.
template <Contract A, Contract B>
  requires std::same_as<typename A::Witness, typename B::Witness>
struct Shared {
  using Witness = typename A::Witness;
  A first;
  B second;

  void caller(const Witness& witness, const Seen& seen, Report& report) const {
    detail::caller(first, witness, seen, report);
    detail::caller(second, witness, seen, report);
  }
  void callee(const Witness& witness, const Seen& seen, Report& report) const {
    detail::callee(first, witness, seen, report);
    detail::callee(second, witness, seen, report);
  }
  void move(Witness& witness, const Seen& seen) const { detail::move(first, witness, seen); }
  void at_end(const Witness& witness, const Family& family, Report& report) const {
    detail::at_end(first, witness, family, report);
    detail::at_end(second, witness, family, report);
  }
  void while_endless(const Witness& witness, Report& report) const {
    detail::while_endless(first, witness, report);
    detail::while_endless(second, witness, report);
  }
};

template <Contract A, Contract B>
Product<A, B> operator*(A first, B second) {
  return {std::move(first), std::move(second)};
}

template <Contract A, Contract B>
Shared<A, B> operator^(A first, B second) {
  static_assert(std::same_as<typename A::Witness, typename B::Witness>,
                "contracts that share a witness have one type of it");
  return {std::move(first), std::move(second)};
}

/// The witness of a contract that remembers nothing.
struct Nothing {
  bool operator==(const Nothing&) const = default;
};

/// A part that says no more than that it is there.
template <About Subject>
struct Mark {
  static constexpr About about = Subject;
};

/// "abc" in quotes, control characters escaped, the middle of a long one left out.
std::string in_quotes(std::string_view content);
/// The same, or how many there are, if they are not kept.
std::string quoted(const Bytes& bytes);

}  // namespace antiphon::verify
