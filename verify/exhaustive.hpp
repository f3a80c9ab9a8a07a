#pragma once

#include <vector>

#include "verify/mutation.hpp"
#include "verify/scope.hpp"

namespace antiphon::verify {

/// The scopes in which mutants are explored: a client or two with a message or two, and between them every fault that
/// an instruction can meet.
std::vector<Scope> scopes_for_mutants();

/// Explores the mutant in each of the scopes. A clause that it breaks there and the original does not, kills it. What
/// could not be explored to its end, of the original or the mutant, kills nobody by that. Of an opinion the
/// `scenarios` are the scopes that were looked at.
Strategy exhaustive(const MutationOptions& options);

}  // namespace antiphon::verify
