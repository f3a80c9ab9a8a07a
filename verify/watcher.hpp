#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "verify/contract.hpp"
#include "verify/family.hpp"

/// A contract at work: its witness, and who holds what. Both are in parts, so that an explorer can take them as parts
/// of a state.

namespace antiphon::verify {

namespace detail {

/// Calls `visit(parts)` for each kind of parts that a witness is made of.
template <class Witness, class Visit>
void for_each_kind(Witness& witness, Visit&& visit) {
  if constexpr (antiphon::detail::is_a<Witness, Parts>) {
    visit(witness);
  } else if constexpr (antiphon::detail::is_a<Witness, std::pair>) {
    for_each_kind(witness.first, visit);
    for_each_kind(witness.second, visit);
  } else if constexpr (requires { witness.for_each_kind(visit); }) {
    witness.for_each_kind(visit);
  } else {
    static_assert(std::is_empty_v<Witness>,
                  "the witness of a contract that is explored is made of Parts (interpreters/parts.hpp)");
  }
}

}  // namespace detail

template <Contract C>
class Watcher {
 public:
  explicit Watcher(C contract, std::uint32_t first_processes = 1)
      : contract_(std::move(contract)), family_(first_processes) {}

  /// Judges the event and takes it in; `between(seen)` comes after the one and before the other.
  template <std::invocable<const Seen&> Between>
  void see(const Event& event, Report& report, Between&& between) {
    const Seen seen{event, family_};
    detail::caller(contract_, witness_, seen, report);
    detail::callee(contract_, witness_, seen, report);
    between(seen);
    detail::move(contract_, witness_, seen);
    family_.move(event);
  }
  /// Once nothing more happens.
  void at_end(Report& report) const { detail::at_end(contract_, witness_, family_, report); }

  /// Of a run that goes on for ever: what is wrong if it never changes.
  void while_endless(Report& report) const { detail::while_endless(contract_, witness_, report); }

  [[nodiscard]] const Family& family() const { return family_; }

  /// Calls `visit(parts)` for each kind of parts.
  template <class Visit>
  void for_each_kind(Visit&& visit) {
    family_.for_each_kind(visit);
    detail::for_each_kind(witness_, visit);
  }

 private:
  C contract_;
  typename C::Witness witness_;
  Family family_;
};

}  // namespace antiphon::verify
