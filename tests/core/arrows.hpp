#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <ostream>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/core/toy.hpp"
#include "tests/rapidcheck.hpp"

/// Generated programs of the toy set. An *arrow* is a function from a number to a program that ends with a
/// number, kept as a tree so that it can be generated, shrunk and printed. It uses every way of making a
/// program.

namespace antiphon::toy {

using Numbers = Program<Toy, int>;

/// A pure function on 0…7.
struct Table {
  std::array<int, 8> values{};
  int operator()(int x) const { return values[static_cast<unsigned>(x) % 8]; }
};

inline std::ostream& operator<<(std::ostream& out, const Table& table) {
  for (const int value : table.values) out << value;
  return out;
}

struct Arrow;

/// What an arrow is made of; which members count depends on the kind.
enum class Kind { ret, lift, ask, tell, choose, bind, map, sequence, loop };
inline constexpr std::string_view kind_names[] = {"ret",  "lift", "ask",      "tell", "choose",
                                                  "bind", "map",  "sequence", "loop"};

struct ArrowNode;

struct Arrow {
  std::shared_ptr<const ArrowNode> node;
  Numbers operator()(int x) const;
};

struct ArrowNode {
  Kind kind = Kind::ret;
  Table function;
  Table decision;
  Arrow first;
  Arrow second;
};

/// From a state to a turn of a loop. It tells its state first: a loop that issues nothing never comes to
/// rest.
struct StepArrow {
  Arrow arrow;
  Table decision;

  Program<Toy, Step<int, int>> operator()(int state) const {
    using Turn = Step<int, int>;
    return Tell{state} >> (arrow(state) >> [goes_on = decision](const int& x) {
             return ret(goes_on(x) % 2 != 0 ? Turn{Continue{x}} : Turn{Break{x}});
           });
  }
};

inline Numbers Arrow::operator()(int x) const {
  const auto& [kind, f, decision, first, second] = *node;
  switch (kind) {
    case Kind::ret:
      return ret(f(x));
    case Kind::lift:
      return Ask{};
    case Kind::ask:
      return Ask{} >> [next = first, x](const int& answer) { return next(x + answer); };
    case Kind::tell:
      return Tell{f(x)} >> [next = first, x](const Unit&) { return next(x); };
    case Kind::choose:
      return Choose{f(x)} >> [one = first, other = second, x](const bool& yes) { return yes ? one(x) : other(x); };
    case Kind::bind:
      return first(x) >> [next = second, x](const int& y) { return next(x + y); };
    case Kind::map:
      return map(first(x), f);
    case Kind::sequence:
      return ignore(first(x)) >> second(x);
    case Kind::loop:
      return iter(f(x), [body = StepArrow{first, decision}](const int& state) { return body(state); });
  }
  return ret(0);
}

inline std::ostream& operator<<(std::ostream& out, const Arrow& arrow) {
  const auto& [kind, f, decision, first, second] = *arrow.node;
  out << kind_names[static_cast<std::size_t>(kind)] << '(' << f;
  if (kind == Kind::loop) out << ", " << decision;
  if (first.node) out << ", " << first;
  if (second.node) out << ", " << second;
  return out << ')';
}

inline std::ostream& operator<<(std::ostream& out, const StepArrow& body) {
  return out << body.arrow << " on " << body.decision;
}

/// How the world answers: a function of how many instructions went before and of what each asks.
struct World {
  std::vector<int> answers;
};

inline std::ostream& operator<<(std::ostream& out, const World& world) {
  for (const int answer : world.answers) out << answer << ' ';
  return out;
}

template <class A>
Heard<A> hear(const Program<Toy, A>& program, const World& world) {
  return hear(program, world.answers);
}

inline std::size_t parts_of(Kind kind) {
  switch (kind) {
    case Kind::ret:
    case Kind::lift:
      return 0;
    case Kind::choose:
    case Kind::bind:
    case Kind::sequence:
      return 2;
    default:
      return 1;
  }
}

/// Any of 0…below - 1 with the same chance, also in the small cases that a check starts with.
inline rc::Gen<int> any_below(int below) { return rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, below)); }

inline rc::Gen<Table> any_table() {
  return rc::gen::map(rc::gen::container<std::vector<int>>(8, any_below(8)), [](const std::vector<int>& values) {
    Table table;
    for (std::size_t x = 0; x < 8; ++x) table.values[x] = values[x];
    return table;
  });
}

inline Arrow pick_arrow(int depth) {
  const auto leaves = rc::gen::element(Kind::ret, Kind::lift);
  const auto all = rc::gen::element(Kind::ret, Kind::lift, Kind::ask, Kind::tell, Kind::choose, Kind::bind, Kind::bind,
                                    Kind::map, Kind::sequence, Kind::loop, Kind::loop);
  auto node = std::make_shared<ArrowNode>();
  node->kind = depth == 0 ? *leaves : *all;
  node->function = *any_table();
  if (node->kind == Kind::loop) node->decision = *any_table();
  const std::size_t parts = parts_of(node->kind);
  if (parts > 0) node->first = pick_arrow(depth - 1);
  if (parts > 1) node->second = pick_arrow(depth - 1);
  return Arrow{node};
}

}  // namespace antiphon::toy

template <>
struct rc::Arbitrary<antiphon::toy::Table> {
  static Gen<antiphon::toy::Table> arbitrary() { return antiphon::toy::any_table(); }
};

template <>
struct rc::Arbitrary<antiphon::toy::Arrow> {
  static Gen<antiphon::toy::Arrow> arbitrary() {
    using antiphon::toy::Arrow;
    return gen::shrink(gen::exec([] { return antiphon::toy::pick_arrow(*antiphon::toy::any_below(5)); }),
                       [](const Arrow& whole) {
                         std::vector<Arrow> parts;
                         if (whole.node->first.node) parts.push_back(whole.node->first);
                         if (whole.node->second.node) parts.push_back(whole.node->second);
                         return seq::fromContainer(parts);
                       });
  }
};

template <>
struct rc::Arbitrary<antiphon::toy::StepArrow> {
  static Gen<antiphon::toy::StepArrow> arbitrary() {
    using namespace antiphon::toy;
    return gen::map(gen::arbitrary<std::pair<Arrow, Table>>(),
                    [](const std::pair<Arrow, Table>& parts) { return StepArrow{parts.first, parts.second}; });
  }
};

template <>
struct rc::Arbitrary<antiphon::toy::World> {
  static Gen<antiphon::toy::World> arbitrary() {
    return gen::map(gen::nonEmpty(gen::container<std::vector<int>>(antiphon::toy::any_below(8))),
                    [](const std::vector<int>& answers) { return antiphon::toy::World{answers}; });
  }
};
