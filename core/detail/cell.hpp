#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <new>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/bytes.hpp"
#include "core/digest.hpp"
#include "core/effects.hpp"
#include "core/pool.hpp"

/// The tree without its types: counted cells from the thread's pool. Only core/program.hpp and core/rewrite.hpp make
/// them and only core/process.hpp walks them.
///
/// Continuations are pure, so what one gave once can be given again, and processes that stand at the same place of a
/// program share cells. A loop *keeps* the tree of a turn that begins in its first state, and an instruction or a bind
/// in a kept tree keeps the tree that follows its first success. All only where state, response or result is Plain.
///
/// No cell owns itself through what it keeps. What a continuation returns is made of what it captured and of cells
/// made in the call; a Plain argument refers to none. What it captured, its cell owns, so a way from there back to the
/// cell would have been a circle before. A frame found again owns no more than the new one would.

namespace antiphon {

template <class S>
struct Continue;
template <class A>
struct Break;
template <class T>
struct Returned;

namespace detail {

enum class Kind : std::uint8_t { result, instruction, bind, loop, frame };

struct Cell;

/// A counted pointer to a cell; the count is not atomic.
class Ref {
 public:
  Ref() = default;
  explicit Ref(Cell* adopted) noexcept : cell_(adopted) {}
  /// One more of those that hold a cell.
  static Ref to(Cell* held) noexcept;
  /// Leaves the count to the caller.
  Cell* release() noexcept { return std::exchange(cell_, nullptr); }
  Ref(const Ref& other) noexcept;
  Ref(Ref&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~Ref();

  const Cell* get() const { return cell_; }
  const Cell* operator->() const { return cell_; }
  const Cell& operator*() const { return *cell_; }
  explicit operator bool() const { return cell_ != nullptr; }

 private:
  Cell* cell_ = nullptr;
};

/// What a turn of a loop led to: the next turn's tree or the loop's result (which lives in the turn's own cell).
struct Turned {
  Ref next;
  const void* result;
};

/// What is known of a cell from its type. There is one Shape for each pair of instruction and continuation, so its
/// address tells continuations apart within a run.
struct Shape {
  void (*dispose)(Cell*) noexcept;
  /// result: the value.
  const void* (*content)(const Cell&) = nullptr;
  /// instruction, bind: the tree after the response or result at the pointer.
  Ref (*resume)(const Cell&, const void*) = nullptr;
  /// loop: the first turn; what follows a turn that ended with the Step at the pointer.
  Ref (*enter)(const Cell&) = nullptr;
  Turned (*turn)(const Cell&, const void*) = nullptr;
  /// loop: mixes the initial state, or what a Step holds, into a digest. A word before keeps the two apart: no
  /// state reads like a result.
  void (*add_state)(Digest&, const Cell&) = nullptr;
  void (*add_step)(Digest&, const Cell&, const void*) = nullptr;
  /// bind: mixes the result of the program before it into a digest; null where that has no identity.
  void (*add_result)(Digest&, const Cell&, const void*) = nullptr;
  /// bind: the program before it. frame: none.
  Ref (*first)(const Cell&) = nullptr;
  /// rewritten: the cell that it was made of.
  const Cell& (*original)(const Cell&) = nullptr;
  std::uint32_t code = 0;  ///< instruction: `code_of` its name.
};

/// What a cell that somebody holds begins with.
struct Held {
  std::uint32_t references;
  Kind kind;
  mutable std::uint8_t depth;  ///< Of a kept tree: how many trees keep each other, from a loop down to this one.
};

/// At this depth nothing more is kept: a program that unfolds for ever is not kept alive as it grows.
inline constexpr std::uint8_t deepest = 16;

struct Cell {
  union {
    Held held;
    Cell* next_dead;  ///< Once nobody holds it.
  };
  const Shape* shape;
};

/// What tells the cell's place in the text: its shape, or that of the cell which it is the rewritten form of.
inline const Shape* written_shape(const Cell& cell) {
  const Cell* written = &cell;
  while (written->shape->original != nullptr) written = &written->shape->original(*written);
  return written->shape;
}

/// Takes apart a cell nobody holds, and what only it held, without recursion.
void reclaim(Cell* cell) noexcept;

inline Ref Ref::to(Cell* held) noexcept {
  ++held->held.references;
  return Ref(held);
}

inline Ref::Ref(const Ref& other) noexcept : cell_(other.cell_) {
  if (cell_ != nullptr) ++cell_->held.references;
}

inline Ref::~Ref() {
  if (cell_ != nullptr && --cell_->held.references == 0) reclaim(cell_);
}

/// A cell of its base (whose counts are set here) and members.
template <class T, class... Arguments>
T* make(Kind kind, const Shape& shape, Arguments&&... arguments) {
  static_assert(alignof(T) <= alignof(std::max_align_t));
  void* const block = pool::take(sizeof(T));
  try {
    T* const cell = new (block) T{std::forward<Arguments>(arguments)...};
    cell->held = {1, kind, 0};
    cell->shape = &shape;
    return cell;
  } catch (...) {
    pool::give_back(block, sizeof(T));
    throw;
  }
}

template <class T>
void dispose(Cell* cell) noexcept {
  static_cast<T*>(cell)->~T();
  pool::give_back(cell, sizeof(T));
}

/// The continuation of an instruction that is a whole program by itself.
struct Lift {
  template <class R>
  Returned<R> operator()(const R& response) const {
    return {response};
  }
};

template <class T>
Ref as_tree(T&& what);  // in core/program.hpp

/// Notes that a tree is kept, in the cells from its root to where a process would enter it. Rewritten cells make what
/// is below them anew each time.
void note_kept(const Cell& root, std::uint8_t depth) noexcept;

/// The tree that `made` makes; `place` in the cell `keeper` keeps it from now on. A look at content must be noticed
/// each time, so what is made with one is not kept.
template <class Make>
Ref keep(Ref& place, const Cell& keeper, const Make& made) {
  const std::uint64_t looks_before = looks();
  Ref tree = made();
  if (looks() != looks_before) return tree;
  note_kept(*tree, static_cast<std::uint8_t>(keeper.held.depth + 1));
  place = tree;
  return tree;
}

/// What all cells of an instruction begin with.
template <class I>
struct Issued : Cell {
  I instruction;
};

/// What an instruction or a bind keeps: the response or result, and the tree that follows it.
template <class R>
struct Kept {
  R response;
  Ref tree;
};
struct Nothing {};

template <class R>
concept Keepable = Plain<R> && std::default_initializable<R>;
template <class R>
using KeptIfPlain = std::conditional_t<Keepable<R>, Kept<R>, Nothing>;

/// Failures come seldom; the first success will come again.
template <class R>
bool is_success(const R& response) {
  if constexpr (is_a<R, std::expected>) {
    return response.has_value();
  } else {
    return true;
  }
}

/// The tree that follows the answer, kept or made.
template <class R, class Follow>
Ref tree_after(KeptIfPlain<R>& kept, const Cell& self, const R& answer, const Follow& follow) {
  if constexpr (Keepable<R>) {
    if (kept.tree) {
      if (kept.response == answer) return kept.tree;
    } else if (self.held.depth > 0 && self.held.depth < deepest && is_success(answer)) {
      kept.response = answer;
      return keep(kept.tree, self, follow);
    }
  }
  return follow();
}

template <class A>
struct ResultCell : Cell {
  A value;

  static const void* content(const Cell& cell) { return &static_cast<const ResultCell&>(cell).value; }
  static constexpr Shape the_shape{.dispose = &dispose<ResultCell>, .content = &content};
};

template <class A>
Ref make_result(A&& value) {
  using T = ResultCell<A>;
  return Ref(make<T>(Kind::result, T::the_shape, Cell{}, std::forward<A>(value)));
}

template <class I, class K>
struct InstructionCell : Issued<I> {
  using Response = typename I::Response;

  K next;
  [[no_unique_address]] mutable KeptIfPlain<Response> kept{};

  static Ref resume(const Cell& cell, const void* response) {
    const auto& self = static_cast<const InstructionCell&>(cell);
    const auto& answer = *static_cast<const Response*>(response);
    return tree_after<Response>(self.kept, self, answer, [&] { return as_tree(self.next(answer)); });
  }
  static constexpr Shape the_shape{.dispose = &dispose<InstructionCell>, .resume = &resume, .code = code_of(I::name)};
};

template <class I, class K>
Ref make_instruction(I&& instruction, K&& next) {
  using T = InstructionCell<I, std::remove_cvref_t<K>>;
  return Ref(
      make<T>(Kind::instruction, T::the_shape, Issued<I>{{}, std::forward<I>(instruction)}, std::forward<K>(next)));
}

/// What a process does once the tree it is in has a result: a bind or a loop, and the frame below.
template <class Entry>
struct FrameCell : Cell {
  Ref waiting;
  Ref below;
  [[no_unique_address]] Entry entry;

  static constexpr Shape the_shape{.dispose = &dispose<FrameCell>};
};

/// The frame of a process that keeps no identity: equal ones can be one.
using PlainFrame = FrameCell<Nothing>;

/// A bind or a loop.
struct WaitingCell : Cell {
  mutable PlainFrame* frame = nullptr;  ///< The last one made for it, while it lives; not owned, as it owns this cell.
};

/// The end of a frame, for the cell that it was the last one of.
inline void forget(const PlainFrame& frame) {
  const auto& waiting = static_cast<const WaitingCell&>(*frame.waiting);
  if (waiting.frame == &frame) waiting.frame = nullptr;
}

/// Moves a bind or loop onto a stack: in the frame that another process made for the same place, or in a new one.
template <class Entry>
void push(Ref& stack, Ref& waiting, const Entry& entry) {
  using Frame = FrameCell<Entry>;
  const auto made = [&] {
    return make<Frame>(Kind::frame, Frame::the_shape, Cell{}, std::move(waiting), std::move(stack), entry);
  };
  if constexpr (std::same_as<Frame, PlainFrame>) {
    PlainFrame*& last = static_cast<const WaitingCell&>(*waiting).frame;
    if (last != nullptr && last->below.get() == stack.get()) {
      stack = Ref::to(last);
    } else {
      last = made();
      stack = Ref(last);
    }
  } else {
    stack = Ref(made());
  }
}

/// Takes the top frame off a stack.
template <class Entry>
void pop(Ref& stack) {
  using Frame = FrameCell<Entry>;
  Ref below;
  if (stack->held.references > 1) {
    below = static_cast<const Frame&>(*stack).below;
  } else {  // as `reclaim` would, in fewer steps
    auto* const top = static_cast<Frame*>(stack.release());
    below = std::move(top->below);
    if constexpr (std::same_as<Frame, PlainFrame>) forget(*top);
    dispose<Frame>(top);
  }
  stack = std::move(below);
}

template <class A, class K>
struct BindCell : WaitingCell {
  Ref before;
  K next;
  [[no_unique_address]] mutable KeptIfPlain<A> kept{};

  static Ref first(const Cell& cell) { return static_cast<const BindCell&>(cell).before; }
  static Ref resume(const Cell& cell, const void* result) {
    const auto& self = static_cast<const BindCell&>(cell);
    const auto& value = *static_cast<const A*>(result);
    return tree_after<A>(self.kept, self, value, [&] { return as_tree(self.next(value)); });
  }
  static constexpr auto result_adder() -> void (*)(Digest&, const Cell&, const void*) {
    if constexpr (HasIdentity<A>) {
      return [](Digest& digest, const Cell&, const void* result) {
        digest.add_text("result");
        add(digest, *static_cast<const A*>(result));
      };
    } else {
      return nullptr;
    }
  }
  static constexpr Shape the_shape{
      .dispose = &dispose<BindCell>, .resume = &resume, .add_result = result_adder(), .first = &first};
};

template <class A, class K>
Ref make_bind(Ref before, K&& next) {
  using T = BindCell<A, std::remove_cvref_t<K>>;
  return Ref(make<T>(Kind::bind, T::the_shape, WaitingCell{}, std::move(before), std::forward<K>(next)));
}

template <class T>
struct StepTypes {
  static_assert(always_false<T>, "the body of a loop ends in Step<S, A>: Continue{state} or Break{result}");
  using State = void;
  using Result = void;
};
template <class S, class A>
struct StepTypes<std::variant<Continue<S>, Break<A>>> {
  using State = S;
  using Result = A;
};

template <class S, class A, class Body>
struct LoopCell : WaitingCell {
  S state;
  Body body;
  [[no_unique_address]] mutable std::conditional_t<Plain<S>, Ref, Nothing> first_turn{};

  using Turn = std::variant<Continue<S>, Break<A>>;
  static Ref enter(const Cell& cell) {
    const auto& loop = static_cast<const LoopCell&>(cell);
    const auto first = [&] { return as_tree(loop.body(loop.state)); };
    if constexpr (Plain<S>) {
      if (loop.first_turn) return loop.first_turn;
      if (loop.held.depth < deepest) return keep(loop.first_turn, loop, first);
    }
    return first();
  }
  static Turned turn(const Cell& cell, const void* step) {
    const auto& loop = static_cast<const LoopCell&>(cell);
    const auto& taken = *static_cast<const Turn*>(step);
    if (const auto* again = std::get_if<0>(&taken)) {
      if constexpr (Plain<S>) {
        if (again->state == loop.state) return {enter(cell), nullptr};
      }
      return {as_tree(loop.body(again->state)), nullptr};
    }
    return {Ref(), &std::get<1>(taken).result};
  }
  static void add_state(Digest& digest, const Cell& cell) {
    digest.add_word(0);
    add(digest, static_cast<const LoopCell&>(cell).state);
  }
  static void add_step(Digest& digest, const Cell&, const void* step) {
    const auto& taken = *static_cast<const Turn*>(step);
    digest.add_word(taken.index());
    if (const auto* again = std::get_if<0>(&taken)) {
      add(digest, again->state);
    } else {
      add(digest, std::get<1>(taken).result);
    }
  }
  static constexpr Shape the_shape{
      .dispose = &dispose<LoopCell>, .enter = &enter, .turn = &turn, .add_state = &add_state, .add_step = &add_step};
};

template <class S, class A, class Body>
Ref make_loop(S&& state, Body&& body) {
  using T = LoopCell<S, A, Body>;
  return Ref(make<T>(Kind::loop, T::the_shape, WaitingCell{}, std::forward<S>(state), std::forward<Body>(body)));
}

}  // namespace detail
}  // namespace antiphon
