#pragma once

#include <concepts>

#include "core/process.hpp"

namespace antiphon {

/// A handler gives an instruction its meaning: called with the instruction, it returns the response.
template <class H, class I>
concept Handles = requires(H& handler, const I& instruction) {
  { handler(instruction) } -> std::convertible_to<typename I::Response>;
};

/// A handler for a whole effect set.
template <class H, class E>
constexpr bool handles_all = false;
template <class H, class... Is>
constexpr bool handles_all<H, Effects<Is...>> = (Handles<H, Is> && ...);

/// The plainest interpreter: answers each instruction by the handler until the program ends.
template <class H, class E, class A>
A run(const Program<E, A>& program, H&& handler) {
  constexpr bool complete = handles_all<std::remove_reference_t<H>, E>;
  static_assert(complete, "the handler gives no meaning to an instruction of the program's effect set");
  Process<E, A> process(program);
  if constexpr (complete) {
    while (!process.finished()) {
      process.pending([&]<class I>(const I& instruction) {
        const typename I::Response response = handler(instruction);
        process.template answer<I>(response);
      });
    }
  }
  return process.result();
}

}  // namespace antiphon
