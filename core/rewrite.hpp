#pragma once

#include <concepts>
#include <utility>

#include "core/detail/rewritten.hpp"
#include "core/place.hpp"
#include "core/program.hpp"

namespace antiphon {

/// The program with every instruction replaced by what `rule` makes of it. `rule(instruction)` is a program (or the
/// instruction itself) of the set E that ends with the instruction's response; the original goes on with that.
///
///     rewrite(server, []<class I>(const I& instruction) {
///       if constexpr (std::same_as<I, DiscardChildren>) return ret(Result<Unit>());   // never issued
///       else return instruction;                                                      // as it was
///     });
///
/// A rule of two parameters is told the instruction's `Place` too:
///
///     rewrite(server, [=]<class I>(const I& instruction, const Place& place) { … place == here … });
///
/// A rewritten program has the binds, the loops and the places of its original, so it is as finite: a process that
/// keeps its identity comes round to the same digests, and a walk ends. Instructions are rewritten when a process comes
/// to them, each time anew: a rule is pure, like a continuation, and may be called any number of times. What it makes
/// is not rewritten again.
template <class E, class A, class Rule>
Program<E, A> rewrite(const Program<E, A>& program, Rule rule) {
  return Program<E, A>(
      detail::rewritten<E, Rule>({program.root(), detail::Ref(), detail::make_result(std::move(rule))}));
}

/// The program with `change(instruction)` in place of every I; the others stay.
///
///     replace<Sleep>(server, [](const Sleep&) { return ret(Result<Unit>()); });   // nobody rests
template <Instruction I, class E, class A, class Change>
Program<E, A> replace(const Program<E, A>& program, Change change) {
  return rewrite(program, [change = std::move(change)]<class Other>(const Other& instruction) {
    if constexpr (std::same_as<Other, I>) {
      return Program<E, typename I::Response>(change(instruction));
    } else {
      return Program<E, typename Other::Response>(instruction);
    }
  });
}

}  // namespace antiphon
