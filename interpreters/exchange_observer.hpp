#pragma once

#include <concepts>
#include <optional>
#include <utility>
#include <variant>

#include "core/handler.hpp"
#include "core/trace.hpp"
#include "interpreters/kernel.hpp"

namespace antiphon {

/// An instruction and its response, both where they stand.
template <Instruction I>
struct ExchangeRef {
  const I& instruction;
  const typename I::Response& response;
};

namespace detail {
template <class E>
struct ExchangeRefsOf;
template <class... Is>
struct ExchangeRefsOf<Effects<Is...>> {
  using Type = std::variant<ExchangeRef<Is>...>;
};
}  // namespace detail

/// Any exchange of a server. Its index is the instruction's place in Net.
using ExchangeView = typename detail::ExchangeRefsOf<Net>::Type;

/// Who sees what processes do and keeps none of it: it costs less than a TraceSink, since no event is made.
///
/// `known` is a time by `kernel::now`, the latest that the interpreter has read; the answer may be younger.
class ExchangeObserver {
 public:
  virtual ~ExchangeObserver() = default;

  virtual void saw(ProcessId process, const ExchangeView& exchange, kernel::Nanoseconds known) = 0;
  /// After a Fork that answered Parent: the child holds what the parent holds. `child` is none where the child runs
  /// elsewhere and is observed by a copy of this observer.
  virtual void forked(ProcessId parent, std::optional<ProcessId> child) = 0;
  /// The process ended; what it held open is closed.
  virtual void ended(ProcessId process, const Result<Unit>& result, kernel::Nanoseconds known) = 0;
};

/// Shows every exchange of another handler to an observer, and changes nothing else. It is for handlers whose Fork
/// makes a process of the operating system: there each process has its copy of both, and calls itself process 0.
template <class Handler>
class Observed {
 public:
  /// Refers to both; they outlive it. The observer may be null.
  Observed(Handler& handler, ExchangeObserver* observer) : handler_(&handler), observer_(observer) {}

  template <Instruction I>
    requires Handles<Handler, I>
  typename I::Response operator()(const I& instruction) {
    typename I::Response response = (*handler_)(instruction);
    if (observer_ == nullptr) return response;
    // (Whoever times a Send reads the clock itself.)
    if constexpr (!std::same_as<I, Send>) known_ = kernel::now();
    observer_->saw(0, ExchangeRef<I>{instruction, response}, known_);
    if constexpr (std::same_as<I, Fork>) {
      if (response && std::holds_alternative<Parent>(*response)) observer_->forked(0, std::nullopt);
    }
    return response;
  }

  /// The program of this process ended. Nothing may follow.
  void finish(const Result<Unit>& result) {
    if (observer_ != nullptr) observer_->ended(0, result, kernel::now());
  }

 private:
  Handler* handler_;
  ExchangeObserver* observer_;
  kernel::Nanoseconds known_ = 0;
};

}  // namespace antiphon
