#include "interpreters/bad_input.hpp"

#include <algorithm>
#include <utility>

namespace antiphon {

BadInput bad_input(std::size_t line, std::string what) {
  constexpr std::size_t longest = 200;
  if (what.size() > longest) what = what.substr(0, longest) + "...";
  std::ranges::replace_if(what, [](char byte) { return static_cast<unsigned char>(byte) < ' ' || byte == 127; }, '?');
  return {line, std::move(what)};
}

}  // namespace antiphon
