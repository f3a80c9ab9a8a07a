#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "core/digest.hpp"
#include "core/program.hpp"

namespace antiphon {

/// The policy of a process that keeps no identity: nothing is computed.
struct Anonymous {
  static constexpr bool kept = false;
  [[nodiscard]] static detail::Nothing entry() { return {}; }
};

/// The policy of a process that knows itself by a digest of its history. Two processes of one program whose
/// digests are equal have the same future. Where a part of the program ends, only its result counts, not how it came
/// about; where a loop comes round, only its state counts. So the digest falls back to where the part or the loop was
/// entered, with the result or the state.
struct Identified {
  static constexpr bool kept = true;
  /// What a frame remembers: the digest when the loop, or the program before the bind, was entered.
  [[nodiscard]] const Digest& entry() const { return digest; }
  Digest digest;  ///< Seeded with what tells the root program and its arguments from others.
};

/// A program being run: the tree it is in and what follows, a stack of frames. It stands at an instruction or has
/// finished. Everything in it is immutable and shared: a copy costs a few pointers, and both copies go on from here
/// without knowing of each other.
template <class E, class A, class Identity = Anonymous>
class Process {
 public:
  explicit Process(const Program<E, A>& program, Identity identity = {})
      : at_(program.root()), identity_(std::move(identity)) {
    settle();
  }

  [[nodiscard]] bool finished() const { return result_ != nullptr; }

  /// Once finished: what the program ended with.
  [[nodiscard]] const A& result() const { return *static_cast<const A*>(result_); }

  /// While not finished: calls `visit(instruction)` with the instruction that waits for its response.
  template <class Visit>
  void pending(Visit&& visit) const {
    find(E{}, std::forward<Visit>(visit));
  }

  /// Goes on with the response to the pending instruction, which is an I.
  template <Instruction I>
  void answer(const typename I::Response& response) {
    if constexpr (Identity::kept) {
      identity_.digest.add_word(code_of(I::name));
      add(identity_.digest, response);
    }
    at_ = at_->shape->resume(*at_, &response);
    settle();
  }

  [[nodiscard]] const Digest& digest() const
    requires Identity::kept
  {
    return identity_.digest;
  }

  /// The place in the program's text, for tools (see core/place.hpp): the tree's type and those of the frames,
  /// innermost first. What was rewritten stands where its original does.
  template <class Visit>
  void place(Visit&& visit) const {
    visit(detail::written_shape(*at_));
    for (const detail::Cell* cell = stack_.get(); cell != nullptr; cell = frame(cell).below.get()) {
      visit(detail::written_shape(*frame(cell).waiting));
    }
  }

 private:
  using Entry = std::remove_cvref_t<decltype(std::declval<Identity>().entry())>;
  using Frame = detail::FrameCell<Entry>;

  static const Frame& frame(const detail::Cell* cell) { return *static_cast<const Frame*>(cell); }

  template <class... Is, class Visit>
  void find(Effects<Is...>, Visit&& visit) const {
    [[maybe_unused]] const std::uint32_t code = at_->shape->code;
    static_cast<void>((
        (code == code_of(Is::name) && (visit(static_cast<const detail::Issued<Is>&>(*at_).instruction), true)) || ...));
  }

  /// Moves the bind or loop that the process is at onto the stack, which owns it from now on.
  const detail::Cell& push() {
    const detail::Cell& waiting = *at_;
    detail::push(stack_, at_, identity_.entry());
    return waiting;
  }

  /// Walks to the next instruction or the end, in constant C++ stack.
  void settle() {
    for (;;) {
      switch (at_->held.kind) {
        case detail::Kind::instruction:
        case detail::Kind::frame:
          return;
        case detail::Kind::bind: {
          const detail::Cell& bind = push();
          // Frames that were entered one right after the other must not share an entry.
          if constexpr (Identity::kept) identity_.digest.add_text("bind");
          at_ = bind.shape->first(bind);
          break;
        }
        case detail::Kind::loop: {
          const detail::Cell& loop = push();
          if constexpr (Identity::kept) loop.shape->add_state(identity_.digest, loop);
          at_ = loop.shape->enter(loop);
          break;
        }
        case detail::Kind::result:
          if (finish_tree()) return;
          break;
      }
    }
  }

  /// Hands the result of the tree to the frames that wait for it. True at the end of the program.
  bool finish_tree() {
    const void* value = at_->shape->content(*at_);
    while (stack_) {
      const Frame& top = frame(stack_.get());
      const detail::Cell& waiting = *top.waiting;
      if (waiting.held.kind == detail::Kind::bind) {
        if constexpr (Identity::kept) {
          if (waiting.shape->add_result != nullptr) {
            identity_.digest = top.entry;
            waiting.shape->add_result(identity_.digest, waiting, value);
          }
        }
        at_ = waiting.shape->resume(waiting, value);
        detail::pop<Entry>(stack_);
        return false;
      }
      if constexpr (Identity::kept) {
        identity_.digest = top.entry;
        waiting.shape->add_step(identity_.digest, waiting, value);
      }
      detail::Turned turned = waiting.shape->turn(waiting, value);
      if (turned.next) {
        at_ = std::move(turned.next);
        return false;
      }
      value = turned.result;
      detail::pop<Entry>(stack_);
    }
    result_ = value;
    return true;
  }

  detail::Ref at_;
  detail::Ref stack_;
  const void* result_ = nullptr;
  [[no_unique_address]] Identity identity_;
};

template <class E, class A>
Process(Program<E, A>) -> Process<E, A>;
template <class E, class A, class Identity>
Process(Program<E, A>, Identity) -> Process<E, A, Identity>;

}  // namespace antiphon
