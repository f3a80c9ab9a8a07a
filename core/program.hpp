#pragma once

#include <concepts>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/detail/cell.hpp"
#include "core/digest.hpp"
#include "core/effects.hpp"
#include "core/fields.hpp"
#include "core/unit.hpp"

/// Programs as values: a free monad over a set of instructions.
///
///     Program<Sockets, Unit> greet(Socket client) {
///       return Send{client, Bytes::copy_of("hello\n"), {}} >>
///              [=](const Result<std::size_t>&) { return Close{client}; } >>
///              [=](const Result<Unit>&) { return ret(Unit{}); };
///     }
///
/// `instruction >> continuation` issues the instruction and goes on with its response. `program >> continuation`
/// goes on with the program's result. `iter(state, body)` is the only loop. A program does nothing by itself: an
/// interpreter walks it.
///
/// A continuation is a lambda, pure, and may be called any number of times: it captures by value and changes
/// nothing. A program value belongs to one thread.

namespace antiphon {

template <class E, class A>
class Program;

/// What `ret` gives: a result that turns into any program which ends with it.
template <class T>
struct Returned {
  T value;
};

/// The program that ends with `value` and issues nothing.
template <class T>
Returned<std::decay_t<T>> ret(T&& value) {
  return {std::forward<T>(value)};
}

/// A turn of a loop ends in one of the two: another turn with a new state, or the loop's result.
template <class S>
struct Continue {
  S state;

  static constexpr std::tuple fields{Field{"state", &Continue::state}};
  bool operator==(const Continue&) const = default;
};
template <class S>
Continue(S) -> Continue<S>;

template <class A>
struct Break {
  A result;

  static constexpr std::tuple fields{Field{"result", &Break::result}};
  bool operator==(const Break&) const = default;
};
template <class A>
Break(A) -> Break<A>;

template <class S, class A>
using Step = std::variant<Continue<S>, Break<A>>;

namespace detail {

template <class T>
struct AsProgram {
  static constexpr bool possible = Instruction<T>;
};
template <Instruction I>
struct AsProgram<I> {
  static constexpr bool possible = true;
  using Set = Effects<I>;
  using Value = typename I::Response;
};
template <class E, class A>
struct AsProgram<Program<E, A>> {
  static constexpr bool possible = true;
  using Set = E;
  using Value = A;
};
template <class T>
struct AsProgram<Returned<T>> {
  static constexpr bool possible = true;
  using Set = Effects<>;
  using Value = T;
};

template <class T>
concept ProgramLike = AsProgram<std::remove_cvref_t<T>>::possible;

template <class T>
using SetOf = typename AsProgram<std::remove_cvref_t<T>>::Set;
template <class T>
using ValueOf = typename AsProgram<std::remove_cvref_t<T>>::Value;

/// A function object with a type of its own: a lambda, or a struct written for one place.
template <class F>
concept Lambda = std::is_class_v<F> && !is_a<F, std::function>;

/// Says what is wrong with a continuation, in words, at compile time.
template <class K, class T>
constexpr void check_continuation() {
  using Plain = std::remove_cvref_t<K>;
  static_assert(Lambda<Plain>,
                "a continuation is a lambda: function pointers share one type and so have no place in the program");
  if constexpr (std::is_class_v<Plain>) {
    static_assert(std::invocable<const Plain&, const T&>,
                  "a continuation takes the response of what it follows, as `const T&`, and is not `mutable`");
    if constexpr (std::invocable<const Plain&, const T&>) {
      static_assert(ProgramLike<std::invoke_result_t<const Plain&, const T&>>,
                    "a continuation returns a program, an instruction or `ret(value)`");
    }
  }
}

template <class K, class T>
using Next = std::invoke_result_t<const std::remove_cvref_t<K>&, const T&>;

/// The value itself if it is an A, or an A made of it.
template <class A, class T>
decltype(auto) as(T&& value) {
  if constexpr (std::same_as<A, T>) {
    return std::forward<T>(value);
  } else {
    return A(std::forward<T>(value));
  }
}

}  // namespace detail

/// A tree of instructions of the set E that ends with an A.
template <class E, class A>
class [[nodiscard]] Program {
  static_assert(std::is_empty_v<E>);  // looks into the set, which then checks itself

 public:
  using Set = E;
  using Value = A;

  /// Every program of a smaller set is one of a larger.
  template <class Narrow>
  Program(Program<Narrow, A> narrow)  // NOLINT(google-explicit-constructor)
      : root_(std::move(narrow).root()) {
    static_assert(subset<Narrow, E>,
                  "the program issues an instruction that its effect set does not have: widen the set it is used at");
  }

  template <class T>
    requires std::constructible_from<A, T>
  Program(Returned<T> returned)  // NOLINT(google-explicit-constructor)
      : root_(detail::make_result<A>(detail::as<A>(std::move(returned.value)))) {}

  template <Instruction I>
    requires std::same_as<A, typename I::Response>
  Program(I instruction)  // NOLINT(google-explicit-constructor)
      : root_(detail::make_instruction(std::move(instruction), detail::Lift{})) {
    static_assert(member<I, E>,
                  "the program issues an instruction that its effect set does not have: widen the set it is used at");
  }

  /// For interpreters: the tree, without its types.
  explicit Program(detail::Ref root) : root_(std::move(root)) {}
  [[nodiscard]] const detail::Ref& root() const& { return root_; }
  [[nodiscard]] detail::Ref root() && { return std::move(root_); }

 private:
  detail::Ref root_;
};

namespace detail {

/// The tree of whatever a continuation returned.
template <class T>
Ref as_tree(T&& what) {
  using Plain = std::remove_cvref_t<T>;
  return Program<SetOf<Plain>, ValueOf<Plain>>(std::forward<T>(what)).root();
}

}  // namespace detail

/// Issues an instruction and goes on with what it is answered.
template <Instruction I, class K>
  requires(!detail::ProgramLike<K>)
auto operator>>(I instruction, K&& next) {
  detail::check_continuation<K, typename I::Response>();
  using Then = detail::Next<K, typename I::Response>;
  return Program<Combine<Effects<I>, detail::SetOf<Then>>, detail::ValueOf<Then>>(
      detail::make_instruction(std::move(instruction), std::forward<K>(next)));
}

/// Goes on with a program's result.
template <class E, class A, class K>
  requires(!detail::ProgramLike<K>)
auto operator>>(Program<E, A> first, K&& next) {
  detail::check_continuation<K, A>();
  using Then = detail::Next<K, A>;
  return Program<Combine<E, detail::SetOf<Then>>, detail::ValueOf<Then>>(
      detail::make_bind<A>(std::move(first).root(), std::forward<K>(next)));
}

template <class T, class K>
  requires(!detail::ProgramLike<K>)
auto operator>>(Returned<T> first, K&& next) {
  return Program<Effects<>, T>(std::move(first)) >> std::forward<K>(next);
}

/// One after the other, where the first has nothing to tell. A response that can be a failure needs a continuation.
template <detail::ProgramLike First, detail::ProgramLike Second>
auto operator>>(First&& first, Second&& second) {
  using Value = detail::ValueOf<First>;
  static_assert(std::same_as<Value, Unit>,
                "the response is dropped: take it in a continuation, or say `ignore(program) >> next`");
  using E = detail::SetOf<Second>;
  using A = detail::ValueOf<Second>;
  return Program<detail::SetOf<First>, Value>(std::forward<First>(first)) >>
         [then = Program<E, A>(std::forward<Second>(second))](const Value&) { return then; };
}

/// The program with its result put through a function.
template <detail::ProgramLike P, class F>
auto map(P&& program, F function) {
  static_assert(detail::Lambda<F>,
                "a continuation is a lambda: function pointers share one type and so have no place in the program");
  using A = detail::ValueOf<P>;
  return Program<detail::SetOf<P>, A>(std::forward<P>(program)) >>
         [function = std::move(function)](const A& result) { return ret(function(result)); };
}

/// The program with its result left out, on purpose.
template <detail::ProgramLike P>
auto ignore(P&& program) {
  return map(std::forward<P>(program), [](const auto&) { return Unit{}; });
}

/// The loop: `body(state)` is a program that ends in `Continue{next state}` or `Break{result}`. Infinite programs
/// are finite values. State and result need an identity (see core/digest.hpp).
template <class S, class Body>
auto iter(S state, Body body) {
  static_assert(detail::Lambda<Body>, "the body of a loop is a lambda");
  static_assert(std::invocable<const Body&, const S&>,
                "the body of a loop takes its state, as `const S&`, and is not `mutable`");
  using Turn = std::invoke_result_t<const Body&, const S&>;
  static_assert(detail::ProgramLike<Turn>, "the body of a loop returns a program of Step<S, A>");
  using Outcome = detail::StepTypes<detail::ValueOf<Turn>>;
  static_assert(std::same_as<typename Outcome::State, S>, "the body continues with another type of state");
  return Program<detail::SetOf<Turn>, typename Outcome::Result>(
      detail::make_loop<S, typename Outcome::Result>(std::move(state), std::move(body)));
}

}  // namespace antiphon
