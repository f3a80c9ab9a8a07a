#pragma once

#include <cstddef>
#include <vector>

#include "verify/mutation.hpp"
#include "verify/scope.hpp"

/// Proofs that nobody in the world can tell a mutant from its original: they are compared (verify/comparison.hpp), and
/// weakly bisimilar in every scope of a list.

namespace antiphon::verify {

/// Bytes of a buffer that a small scope fills.
inline constexpr std::size_t small_buffer = 3;

/// The server with such buffers: no Recv asks for more.
Server with_small_buffers(const Server& server);

/// The scopes: messages that fill the buffer and that do not, clients that are silent or do not read, stops, resets,
/// deadlines at any time, want of room, and every error of every instruction, each in a scope of its own. A fault that
/// may come at any time hides what another does, so there are many small scopes, not a large one.
std::vector<Scope> scopes_for_proofs();

/// Proves a mutant equivalent that is weakly bisimilar to the original in all of those scopes. Both have small buffers
/// there: the mutant of that name of the server with small buffers stands for the mutant. Nothing is said to be
/// equivalent where a comparison is not complete, or where something that the mutated node can be answered
/// (interpreters/program_walk.hpp) never came. Of an opinion the `scenarios` are the scopes that were looked at.
///
/// Nobody sees how long a rest takes or how often a server tries in vain; a contract may ask for it all the same. So
/// this comes last.
Strategy bisimilar();

}  // namespace antiphon::verify
