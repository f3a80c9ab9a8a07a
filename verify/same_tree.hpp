#pragma once

#include <cstddef>

#include "core/programs/server.hpp"

namespace antiphon::verify {

/// Whether the two are one program: whatever the world answers them, they issue the same instructions with the same
/// operands and end with the same result. A message stands for any other of its size; sizes are as in a dump: none, one
/// byte, full (interpreters/program_graph.hpp). That is stricter than to compare dumps, which say for each place what
/// is seen there, not when. False: they are not, or one looks at content, or there are more states than `most_states`.
bool same_tree(const Server& one, const Server& other, std::size_t most_states = 1'000'000);

}  // namespace antiphon::verify
