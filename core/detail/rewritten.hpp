#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "core/detail/cell.hpp"
#include "core/place.hpp"
#include "core/program.hpp"

/// The cells of a rewritten program. Each holds the cell that it was made of, asks it for what follows, and rewrites
/// that: so a rewritten program has the binds and loops of its original, and nothing is rewritten before a process
/// comes to it. Nothing that was rewritten is kept either, since a rule may look at content.

namespace antiphon::detail {

/// What a rewritten cell is made of.
struct Written {
  Ref original;
  Ref frames;  ///< Those of a process that stands there in the original; none if the rule asks for no place.
  Ref rule;    ///< The result cell of a rule.
};

template <class Rule, class E>
constexpr bool asks_for_place = false;
template <class Rule, class... Is>
constexpr bool asks_for_place<Rule, Effects<Is...>> = (std::invocable<const Rule&, const Is&, const Place&> || ...);

/// Where a process stands at an instruction of the original.
template <class I>
Place place_of(const I& instruction, const Written& from) {
  Place place{line_of(instruction), {written_shape(*from.original)}};
  for (const Cell* cell = from.frames.get(); cell != nullptr;) {
    const auto& frame = static_cast<const PlainFrame&>(*cell);
    place.shapes.push_back(written_shape(*frame.waiting));
    cell = frame.below.get();
  }
  return place;
}

template <class E, class Rule>
Ref rewritten(Written from);

/// A bind or a loop.
template <class E, class Rule>
struct RewrittenWaiting : WaitingCell {
  Written from;

  static const Written& made_of(const Cell& cell) { return static_cast<const RewrittenWaiting&>(cell).from; }
  static const Cell& original(const Cell& cell) { return *made_of(cell).original; }

  /// A tree of the original that stands where the cell does.
  static Ref beside(const Cell& cell, Ref tree) {
    return rewritten<E, Rule>({std::move(tree), made_of(cell).frames, made_of(cell).rule});
  }
  /// A tree of the original that the cell waits for.
  static Ref inside(const Cell& cell, Ref tree) {
    Ref frames = made_of(cell).frames;
    if constexpr (asks_for_place<Rule, E>) {
      Ref waiting = made_of(cell).original;
      push(frames, waiting, Nothing{});
    }
    return rewritten<E, Rule>({std::move(tree), std::move(frames), made_of(cell).rule});
  }

  static Ref first(const Cell& cell) { return inside(cell, original(cell).shape->first(original(cell))); }
  static Ref resume(const Cell& cell, const void* result) {
    return beside(cell, original(cell).shape->resume(original(cell), result));
  }
  static void add_result(Digest& digest, const Cell& cell, const void* result) {
    original(cell).shape->add_result(digest, original(cell), result);
  }

  static Ref enter(const Cell& cell) { return inside(cell, original(cell).shape->enter(original(cell))); }
  static Turned turn(const Cell& cell, const void* step) {
    Turned turned = original(cell).shape->turn(original(cell), step);
    if (turned.next) turned.next = inside(cell, std::move(turned.next));
    return turned;
  }
  static void add_state(Digest& digest, const Cell& cell) { original(cell).shape->add_state(digest, original(cell)); }
  static void add_step(Digest& digest, const Cell& cell, const void* step) {
    original(cell).shape->add_step(digest, original(cell), step);
  }

  static constexpr Shape bind_shape{.dispose = &dispose<RewrittenWaiting>,
                                    .resume = &resume,
                                    .add_result = &add_result,
                                    .first = &first,
                                    .original = &original};
  /// A bind whose result has no identity.
  static constexpr Shape plain_bind_shape{
      .dispose = &dispose<RewrittenWaiting>, .resume = &resume, .first = &first, .original = &original};
  static constexpr Shape loop_shape{.dispose = &dispose<RewrittenWaiting>,
                                    .enter = &enter,
                                    .turn = &turn,
                                    .add_state = &add_state,
                                    .add_step = &add_step,
                                    .original = &original};
};

/// An instruction that the rule left, maybe with other operands.
template <class E, class Rule, class I>
struct RewrittenInstruction : Issued<I> {
  Written from;

  static const Written& made_of(const Cell& cell) { return static_cast<const RewrittenInstruction&>(cell).from; }
  static const Cell& original(const Cell& cell) { return *made_of(cell).original; }
  static Ref resume(const Cell& cell, const void* response) {
    return rewritten<E, Rule>(
        {original(cell).shape->resume(original(cell), response), made_of(cell).frames, made_of(cell).rule});
  }
  static constexpr Shape the_shape{
      .dispose = &dispose<RewrittenInstruction>, .resume = &resume, .original = &original, .code = code_of(I::name)};
};

/// An instruction that the rule made a program of: a bind of that program to what followed the instruction.
template <class E, class Rule, class R>
struct RewrittenToProgram : WaitingCell {
  Ref before;
  Written from;

  static const Written& made_of(const Cell& cell) { return static_cast<const RewrittenToProgram&>(cell).from; }
  static const Cell& original(const Cell& cell) { return *made_of(cell).original; }
  static Ref first(const Cell& cell) { return static_cast<const RewrittenToProgram&>(cell).before; }
  static Ref resume(const Cell& cell, const void* response) {
    return rewritten<E, Rule>(
        {original(cell).shape->resume(original(cell), response), made_of(cell).frames, made_of(cell).rule});
  }
  static constexpr Shape the_shape{.dispose = &dispose<RewrittenToProgram>,
                                   .resume = &resume,
                                   .add_result = BindCell<R, Lift>::result_adder(),
                                   .first = &first,
                                   .original = &original};
};

template <class E, class Rule, class I>
Ref make_rewritten(I instruction, Written from) {
  using T = RewrittenInstruction<E, Rule, I>;
  return Ref(make<T>(Kind::instruction, T::the_shape, Issued<I>{{}, std::move(instruction)}, std::move(from)));
}

/// What the rule makes of an instruction, and what follows.
template <class E, class Rule, class I>
Ref rewritten_instruction(Written from) {
  const I& instruction = static_cast<const Issued<I>&>(*from.original).instruction;
  const Rule& rule = static_cast<const ResultCell<Rule>&>(*from.rule).value;
  auto made = [&] {
    if constexpr (std::invocable<const Rule&, const I&, const Place&>) {
      return rule(instruction, place_of(instruction, from));
    } else {
      return rule(instruction);
    }
  }();
  if constexpr (std::same_as<decltype(made), I>) {
    return make_rewritten<E, Rule>(std::move(made), std::move(from));
  } else {
    using R = typename I::Response;
    Ref before = Program<E, R>(std::move(made)).root();
    // An instruction by itself needs no bind.
    if (before->shape == &InstructionCell<I, Lift>::the_shape) {
      return make_rewritten<E, Rule>(I(static_cast<const Issued<I>&>(*before).instruction), std::move(from));
    }
    using T = RewrittenToProgram<E, Rule, R>;
    return Ref(make<T>(Kind::bind, T::the_shape, WaitingCell{}, std::move(before), std::move(from)));
  }
}

template <class E, class Rule, class... Is>
Ref rewritten_instruction(Effects<Is...>, Written from) {
  const std::uint32_t code = from.original->shape->code;
  Ref made;
  static_cast<void>(
      ((code == code_of(Is::name) && (made = rewritten_instruction<E, Rule, Is>(std::move(from)), true)) || ...));
  return made;
}

/// The rewritten form of a tree of the set E.
template <class E, class Rule>
Ref rewritten(Written from) {
  using Waiting = RewrittenWaiting<E, Rule>;
  const auto waiting = [&](Kind kind, const Shape& shape) {
    return Ref(make<Waiting>(kind, shape, WaitingCell{}, std::move(from)));
  };
  switch (from.original->held.kind) {
    case Kind::instruction:
      return rewritten_instruction<E, Rule>(E{}, std::move(from));
    case Kind::bind:
      if (from.original->shape->add_result == nullptr) return waiting(Kind::bind, Waiting::plain_bind_shape);
      return waiting(Kind::bind, Waiting::bind_shape);
    case Kind::loop:
      return waiting(Kind::loop, Waiting::loop_shape);
    case Kind::result:
    case Kind::frame:
      break;
  }
  return std::move(from.original);
}

}  // namespace antiphon::detail
