#include "verify/difference.hpp"

#include <algorithm>
#include <cstddef>
#include <regex>
#include <sstream>
#include <utility>
#include <vector>

namespace antiphon::verify {

namespace {

struct Line {
  std::string text;
  std::string meaning;  ///< Without numbers and without the lines that lead to it.
};

std::vector<Line> lines_of(const std::string& text) {
  static const std::regex moving("^( |│|├|└|─)+|#[0-9]+|↑|→|(₀|₁|₂|₃|₄|₅|₆|₇|₈|₉)+");
  std::vector<Line> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back({line, std::regex_replace(line, moving, "")});
  return lines;
}

/// A line of both texts (' '), of the first alone ('-') or of the second alone ('+').
using Edit = std::pair<char, std::string>;

/// The fewest edits that lead from one to the other.
std::vector<Edit> edits(const std::vector<Line>& before, const std::vector<Line>& after) {
  // How many lines the rests have in common.
  std::vector<std::vector<std::size_t>> common(before.size() + 1, std::vector<std::size_t>(after.size() + 1));
  for (std::size_t i = before.size(); i-- > 0;) {
    for (std::size_t j = after.size(); j-- > 0;) {
      common[i][j] = before[i].meaning == after[j].meaning ? common[i + 1][j + 1] + 1
                                                           : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  std::vector<Edit> made;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < before.size() || j < after.size()) {
    if (i < before.size() && j < after.size() && before[i].meaning == after[j].meaning) {
      made.emplace_back(' ', after[j++].text);
      ++i;
    } else if (j == after.size() || (i < before.size() && common[i + 1][j] >= common[i][j + 1])) {
      made.emplace_back('-', before[i++].text);
    } else {
      made.emplace_back('+', after[j++].text);
    }
  }
  return made;
}

}  // namespace

std::string difference(const std::string& before, const std::string& after) {
  constexpr std::size_t around = 2;
  const std::vector<Edit> all = edits(lines_of(before), lines_of(after));
  std::vector<bool> shown(all.size());
  for (std::size_t at = 0; at < all.size(); ++at) {
    if (all[at].first == ' ') continue;
    const std::size_t end = std::min(at + around + 1, all.size());
    for (std::size_t near = at - std::min(at, around); near < end; ++near) shown[near] = true;
  }
  std::string text;
  for (std::size_t at = 0; at < all.size(); ++at) {
    if (!shown[at]) continue;
    if (at > 0 && !shown[at - 1]) text += "@@\n";
    text += all[at].first + all[at].second + '\n';
  }
  return text;
}

}  // namespace antiphon::verify
