#include "interpreters/program_graph.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <range/v3/algorithm/any_of.hpp>
#include <range/v3/algorithm/stable_partition.hpp>
#include <range/v3/range/conversion.hpp>
#include <range/v3/view/enumerate.hpp>
#include <range/v3/view/join.hpp>
#include <range/v3/view/reverse.hpp>
#include <range/v3/view/transform.hpp>
#include <utility>

#include "interpreters/program_walk.hpp"
#include "interpreters/responses.hpp"

namespace antiphon {

namespace {

namespace views = ranges::views;

using Target = ProgramGraph::Target;
using Node = ProgramGraph::Node;

// -- Classes of responses ---------------------------------------------------------------------

/// Responses of one point that lead to the same targets.
struct Group {
  std::vector<ResponseClass> members;
  std::set<Target> targets;
};

bool is_error(const ResponseClass& what) { return std::holds_alternative<Errno>(what); }

/// Errors are one family, and so are messages and counts of any size: what leads to the same targets
/// and is of one family is one class.
int family_of(const ResponseClass& what) {
  constexpr int errors = -1;
  if (is_error(what)) return errors;
  switch (const auto success = std::get<Success>(what)) {
    case Success::short_message:
      return static_cast<int>(Success::full_message);
    case Success::part_sent:
      return static_cast<int>(Success::all_sent);
    default:
      return static_cast<int>(success);
  }
}

bool knows_no_error(const Group& group) {
  return ranges::any_of(group.members, [](const auto& member) { return member == ResponseClass(unlisted_error); });
}

/// Successes first, then the errors that the program tells apart, then all others.
std::vector<Group> groups_of(const Point& point) {
  std::vector<Group> groups;
  for (const auto& [what, targets] : point.targets) {
    const auto same = std::ranges::find_if(groups, [&](const Group& group) {
      return family_of(group.members.front()) == family_of(what) && group.targets == targets;
    });
    if (same == groups.end()) {
      groups.push_back({{what}, targets});
    } else {
      same->members.push_back(what);
    }
  }
  const bool makes_no_difference = groups.size() == 2 && groups[0].members.size() == 1 &&
                                   groups[0].members[0] == ResponseClass(Success::done) &&
                                   groups[0].targets == groups[1].targets;
  if (makes_no_difference) {
    groups[0].members.insert(groups[0].members.end(), groups[1].members.begin(), groups[1].members.end());
    groups.pop_back();
    return groups;
  }
  ranges::stable_partition(groups, [](const Group& group) { return !knows_no_error(group); });
  return groups;
}

// -- Names ------------------------------------------------------------------------------------

std::string_view kind_of_gift(std::string_view instruction) {
  if (instruction == OpenSocket::name) return "listener";
  if (instruction == Accept::name) return "client";
  if (instruction == Connect::name) return "connection";
  if (instruction == Recv::name) return "message";
  if (instruction == Fork::name) return "child";
  return "";
}

/// The number in digits below the line.
std::string subscript(std::size_t number) {
  constexpr std::string_view digits[] = {"₀", "₁", "₂", "₃", "₄", "₅", "₆", "₇", "₈", "₉"};
  const auto below = [&](char digit) { return digits[digit - '0']; };
  const std::string text = std::to_string(number);
  return text | views::transform(below) | views::join | ranges::to<std::string>();
}

// -- From points to nodes ---------------------------------------------------------------------

/// Puts a walk in order and in words.
class Writer {
 public:
  explicit Writer(const Walk& walked)
      : walked_(walked), groups_(walked.points | views::transform(groups_of) | ranges::to<std::vector>()) {
    number_points();
    name_gifts();
  }

  MappedGraph mapped_graph() const {
    MappedGraph mapped{graph(), {}, {}};
    for (const auto& [place, point] : walked_.places) mapped.nodes.emplace(place, *numbers_[point]);
    for (const std::size_t point : order_) {
      auto& branches = mapped.classes.emplace_back();
      for (const Group& group : groups_[point]) branches.insert(branches.end(), group.targets.size(), group.members);
    }
    return mapped;
  }

  ProgramGraph graph() const {
    const auto node = [&](std::size_t point) { return node_of(point); };
    return {renumbered(walked_.start), order_ | views::transform(node) | ranges::to<std::vector>()};
  }

  std::vector<Site> sites() const {
    const auto site = [&](std::size_t point) { return site_of(walked_.points[point]); };
    return order_ | views::transform(site) | ranges::to<std::vector>();
  }

 private:
  /// In the order in which a reader meets them who goes down each branch in turn.
  void number_points() {
    numbers_.resize(walked_.points.size());
    std::vector<Target> ahead{walked_.start};
    while (!ahead.empty()) {
      const Target target = ahead.back();
      ahead.pop_back();
      const auto* const point = std::get_if<std::size_t>(&target);
      if (point == nullptr || numbers_[*point]) continue;
      numbers_[*point] = order_.size();
      order_.push_back(*point);
      for (const Group& group : groups_[*point] | views::reverse) {
        ahead.insert(ahead.end(), group.targets.rbegin(), group.targets.rend());
      }
    }
  }

  void name_gifts() {
    std::map<std::string_view, std::size_t> count;
    gifts_.resize(walked_.points.size());
    for (const std::size_t point : order_) {
      const std::string_view kind = kind_of_gift(walked_.points[point].instruction);
      if (!kind.empty()) gifts_[point] = fmt::format("{}{}", kind, subscript(++count[kind]));
    }
  }

  Target renumbered(const Target& target) const {
    if (const auto* const point = std::get_if<std::size_t>(&target)) return *numbers_[*point];
    return target;
  }

  Site site_of(const Point& point) const {
    const auto free = std::ranges::find(point.names, std::optional<std::size_t>());
    Site site{point.place, {}, Socket{static_cast<int>(free - point.names.begin())}};
    for (const auto& [number, giver] : point.names | views::enumerate) {
      if (giver) site.held.push_back({Socket{static_cast<int>(number)}, *numbers_[*giver]});
    }
    return site;
  }

  Node node_of(std::size_t index) const {
    const Point& point = walked_.points[index];
    Node node{.instruction = std::string(point.instruction),
              .line = point.place.line,
              .gives = gifts_[index],
              .operands = {},
              .branches = {},
              .states = point.states,
              .more_states = point.more_states,
              .looks_at_content = point.looks_at_content};
    for (const auto& [name, values] : point.operands) {
      if (!values.empty()) node.operands.push_back({std::string(name), texts_of(name, values)});
    }
    for (const Group& group : groups_[index]) {
      const auto names = group.members | views::transform([&](const auto& what) { return name_of(what, index); }) |
                         ranges::to<std::vector>();
      for (const Target& target : group.targets) {
        node.branches.push_back({label_of(group, index), names, renumbered(target), group.targets.size() > 1});
      }
    }
    return node;
  }

  // Operands.

  std::vector<std::string> texts_of(std::string_view name, const std::set<SeenValue>& values) const {
    std::vector<std::pair<std::size_t, Symbol::Part>> symbols;
    std::vector<std::int64_t> numbers;
    std::vector<std::string> texts;
    texts.reserve(values.size());
    for (const SeenValue& value : values) {
      if (const auto* const symbol = std::get_if<Symbol>(&value)) {
        symbols.emplace_back(*numbers_[symbol->point], symbol->part);
      } else if (const auto* const number = std::get_if<std::int64_t>(&value)) {
        numbers.push_back(*number);
      }
    }
    std::ranges::sort(symbols);
    for (const auto& [number, part] : symbols) texts.push_back(text_of(order_[number], part));
    append_numbers(texts, name, numbers);
    for (const SeenValue& value : values) {
      if (const auto* const text = std::get_if<std::string>(&value)) texts.push_back(*text);
    }
    return texts;
  }

  std::string text_of(std::size_t point, Symbol::Part part) const {
    switch (part) {
      case Symbol::Part::whole:
        return gifts_[point];
      case Symbol::Part::front:
        return "front of " + gifts_[point];
      case Symbol::Part::middle:
        return "part of " + gifts_[point];
      case Symbol::Part::rest:
        return "rest of " + gifts_[point];
    }
    return {};
  }

  /// Many numbers are what a loop counts through: the ends tell enough.
  static void append_numbers(std::vector<std::string>& texts, std::string_view name,
                             const std::vector<std::int64_t>& numbers) {
    constexpr std::size_t most_listed = 3;
    const auto text = [&](std::int64_t number) {
      if (number == unlimited) return std::string("unlimited");
      return name == "wait_ms" ? duration(number) : std::to_string(number);
    };
    if (numbers.size() > most_listed) {
      texts.push_back(fmt::format("{} to {}", text(numbers.front()), text(numbers.back())));
    } else {
      for (const std::int64_t number : numbers) texts.push_back(text(number));
    }
  }

  // Labels.

  std::string name_of(const ResponseClass& what, std::size_t point) const {
    if (what == ResponseClass(unlisted_error)) return "any other error";
    if (is_error(what)) return antiphon::name_of(std::get<Errno>(what));
    switch (std::get<Success>(what)) {
      case Success::done:
        return "ok";
      case Success::given:
        return gifts_[point];
      case Success::parent:
        return "Parent " + gifts_[point];
      case Success::child:
        return "Child";
      case Success::end_of_input:
        return "end of input";
      case Success::short_message:
        return gifts_[point] + ", short";
      case Success::full_message:
        return gifts_[point] + ", full";
      case Success::all_sent:
        return "all sent";
      case Success::part_sent:
        return "part sent";
    }
    return {};
  }

  std::string label_of(const Group& group, std::size_t point) const {
    const ResponseClass& first = group.members.front();
    if (!is_error(first)) {
      if (group.members.size() == 1) return name_of(first, point);
      if (is_error(group.members.back())) return "any answer";
      return first == ResponseClass(Success::short_message) ? gifts_[point] : "sent";
    }
    const bool is_any = std::ranges::none_of(
        groups_[point], [&](const Group& other) { return is_error(other.members.front()) && &other != &group; });
    if (is_any) return "any error";
    // What the program has no case for is not listed, but for the answers to a deadline.
    const bool is_rest = knows_no_error(group);
    std::vector<std::string> names;
    for (const ResponseClass& what : group.members) {
      const bool of_deadline = std::get<Errno>(what) >= Errno::EXPIRED;
      if (!is_rest || of_deadline) names.push_back(name_of(what, point));
    }
    if (is_rest) names.emplace_back("any other error");
    return fmt::format("{}", fmt::join(names, ", "));
  }

  const Walk& walked_;
  std::vector<std::vector<Group>> groups_;           ///< Of each point.
  std::vector<std::optional<std::size_t>> numbers_;  ///< Of each point, its node.
  std::vector<std::size_t> order_;                   ///< Of each node, its point.
  std::vector<std::string> gifts_;                   ///< Of each point, the name of what it gives.
};

}  // namespace

std::vector<std::string> ProgramGraph::remarks() const {
  std::vector<std::string> remarks;
  for (const auto& [index, node] : nodes | views::enumerate) {
    if (node.looks_at_content) {
      remarks.push_back(fmt::format("#{} {}: what follows looks at content, which may lead to branches not shown",
                                    index + 1, node.instruction));
    }
    if (node.more_states) {
      remarks.push_back(fmt::format("#{} {}: states: {} of more, the others may lead to branches not shown", index + 1,
                                    node.instruction, node.states));
    }
  }
  const auto is_cut = [](const Branch& branch) { return branch.target == Target(End::not_followed); };
  if (ranges::any_of(nodes, [&](const Node& node) { return ranges::any_of(node.branches, is_cut); })) {
    remarks.push_back(fmt::format("points: {} of more, the others are not shown", nodes.size()));
  }
  return remarks;
}

ProgramGraph graph_of(const Server& program, const GraphLimits& limits) {
  const Walk walked = walk(program, limits);
  return Writer(walked).graph();
}

MappedGraph mapped_graph_of(const Server& program, const GraphLimits& limits) {
  const Walk walked = walk(program, limits);
  return Writer(walked).mapped_graph();
}

SitedGraph sited_graph_of(const Server& program, const GraphLimits& limits) {
  const Walk walked = walk(program, limits);
  const Writer writer(walked);
  return {writer.graph(), writer.sites()};
}

}  // namespace antiphon
