#pragma once

#include <utility>

#include "core/process.hpp"
#include "core/program.hpp"

namespace antiphon {

/// The program with every instruction replaced by what `rule` makes of it. `rule(instruction)` is a program (or the
/// instruction itself) of the set E that ends with the instruction's response; the original goes on with that.
///
///     rewrite(server, []<class I>(const I& instruction) {
///       if constexpr (std::same_as<I, DiscardChildren>) return ret(Result<Unit>());   // never issued
///       else return instruction;                                                      // as it was
///     });
/// A rewritten program has the original's instructions and no loops: it unfolds as it runs, so it is for running, and
/// a walk over its points finds no end.
template <class E, class A, class Rule>
Program<E, A> rewrite(const Process<E, A>& process, const Rule& rule) {
  if (process.finished()) return ret(process.result());
  Program<E, A> rewritten{detail::Ref()};
  process.pending([&]<class I>(const I& instruction) {
    using Response = typename I::Response;
    rewritten = Program<E, Response>(rule(instruction)) >> [=](const Response& response) {
      Process<E, A> next = process;
      next.template answer<I>(response);
      return rewrite(next, rule);
    };
  });
  return rewritten;
}

template <class E, class A, class Rule>
Program<E, A> rewrite(const Program<E, A>& program, const Rule& rule) {
  return rewrite(Process<E, A>(program), rule);
}

}  // namespace antiphon
