#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "verify/mutants.hpp"

namespace antiphon::verify {

/// The mutant of the program at a node, "#7 Recv", with that text. Throws std::invalid_argument if there is none.
inline Mutant mutant_named(std::string_view program, std::string_view node, std::string_view text) {
  std::vector<Mutant> all = mutants_of(*program_named(program));
  const auto found = std::ranges::find_if(
      all, [&](const Mutant& one) { return name_of(one).starts_with(std::string(node) + ' ') && one.text == text; });
  if (found == all.end()) throw std::invalid_argument("no such mutant");
  return std::move(*found);
}

/// Any server, put forward as a mutant.
inline Mutant as_mutant(const Server& server) {
  return {.instruction = {}, .text = {}, .server = server, .original = {}};
}

}  // namespace antiphon::verify
