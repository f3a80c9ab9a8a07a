#pragma once

#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "core/process.hpp"
#include "core/program.hpp"

/// A small effect set, and a listener that answers it and writes down what it hears.

namespace antiphon::toy {

struct Ask {
  using Response = int;
  static constexpr std::string_view name = "Ask";
  static constexpr std::tuple<> fields{};
  bool operator==(const Ask&) const = default;
};

struct Tell {
  int what;

  using Response = Unit;
  static constexpr std::string_view name = "Tell";
  static constexpr std::tuple fields{Field{"what", &Tell::what}};
  bool operator==(const Tell&) const = default;
};

struct Choose {
  int about;

  using Response = bool;
  static constexpr std::string_view name = "Choose";
  static constexpr std::tuple fields{Field{"about", &Choose::about}};
  bool operator==(const Choose&) const = default;
};

using Toy = Effects<Ask, Tell, Choose>;

inline std::string text_of(const Ask&) { return "ask"; }
inline std::string text_of(const Tell& tell) { return "tell " + std::to_string(tell.what); }
inline std::string text_of(const Choose& choose) { return "choose " + std::to_string(choose.about); }

inline int response_to(const Ask&, int answer) { return answer; }
inline Unit response_to(const Tell&, int) { return {}; }
inline bool response_to(const Choose& choose, int answer) { return (choose.about + answer) % 2 != 0; }

/// The instructions that a program issued, in order, and its result if it came to one.
template <class A>
struct Heard {
  std::vector<std::string> said;
  std::optional<A> result;

  bool operator==(const Heard&) const = default;
};

template <class A>
std::ostream& operator<<(std::ostream& out, const Heard<A>& heard) {
  for (const std::string& one : heard.said) out << one << ", ";
  if (!heard.result) return out << "and so on";
  if constexpr (std::same_as<A, Unit>) {
    return out << "end";
  } else {
    return out << "end with " << *heard.result;
  }
}

/// Answers the pending instruction with the number, or with what it means to that instruction. Returns its
/// text.
template <class E, class A, class Identity>
std::string step(Process<E, A, Identity>& process, int answer) {
  std::string said;
  process.pending([&]<class I>(const I& instruction) {
    said = text_of(instruction);
    process.template answer<I>(response_to(instruction, answer));
  });
  return said;
}

/// Lets a process run with these answers, which come round again, until it ends or has issued `most`
/// instructions.
template <class E, class A, class Identity>
Heard<A> hear_on(Process<E, A, Identity> process, const std::vector<int>& answers, std::size_t most = 100) {
  Heard<A> heard;
  while (!process.finished() && heard.said.size() < most) {
    const int answer = answers.empty() ? 0 : answers[heard.said.size() % answers.size()];
    heard.said.push_back(step(process, answer));
  }
  if (process.finished()) heard.result = process.result();
  return heard;
}

template <class E, class A>
Heard<A> hear(const Program<E, A>& program, const std::vector<int>& answers = {}, std::size_t most = 100) {
  return hear_on(Process<E, A>(program), answers, most);
}

}  // namespace antiphon::toy
