#pragma once

#include <concepts>
#include <cstddef>
#include <expected>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/instructions.hpp"
#include "core/process.hpp"
#include "core/trace.hpp"

/// Plays a program against a script: the instructions that it must issue, in order, and what each is answered.

namespace antiphon {

/// A value as a reader would write it: `Recv{Socket{4}, 16384, Deadline{60000, 5000}}`.
template <class T>
std::string text_of_value(const T& value) {
  if constexpr (std::same_as<T, Bytes>) {
    return '"' + std::string(value.content()) + '"';
  } else if constexpr (std::same_as<T, std::string>) {
    return '"' + value + '"';
  } else if constexpr (std::integral<T>) {
    return std::to_string(value);
  } else {
    std::string text;
    for_each_field(value, [&](std::string_view, const auto& member) {
      text += (text.empty() ? "" : ", ") + text_of_value(member);
    });
    if constexpr (Instruction<T>) {
      return std::string(T::name) + "{" + text + "}";
    } else {
      return "{" + text + "}";
    }
  }
}

using Script = std::vector<AnyExchange<Net>>;

/// A line of a script.
template <Instruction I>
AnyExchange<Net> on(const I& instruction, const std::type_identity_t<typename I::Response>& response) {
  return Exchange<I>{instruction, response};
}

inline Script operator+(Script script, const Script& more) {
  script.insert(script.end(), more.begin(), more.end());
  return script;
}

/// Goes through the script and says how it ended: "success", an errno's name, "at " and the instruction that the
/// program stands at, or where the program and the script part.
template <class E, class A>
std::string play(const Program<E, A>& program, const Script& script) {
  Process<E, A> process(program);
  const auto pending = [&] {
    std::string text;
    process.pending([&](const auto& instruction) { text = text_of_value(instruction); });
    return process.finished() ? "the end" : text;
  };
  for (std::size_t line = 0; line < script.size(); ++line) {
    const auto go_on = [&]<class I>(const Exchange<I>& exchange) {
      bool same = false;
      process.pending([&]<class J>(const J& instruction) {
        if constexpr (std::same_as<I, J>) same = instruction == exchange.instruction;
      });
      if (same) process.template answer<I>(*exchange.response);
      return same;
    };
    if (!std::visit(go_on, script[line])) {
      const std::string expected =
          std::visit([](const auto& one) { return text_of_value(one.instruction); }, script[line]);
      return "line " + std::to_string(line) + ": expected " + expected + ", found " + pending();
    }
  }
  if (!process.finished()) return "at " + pending();
  if constexpr (std::same_as<A, Result<Unit>>) {
    if (!process.result()) return name_of(process.result().error());
  }
  return "success";
}

}  // namespace antiphon
