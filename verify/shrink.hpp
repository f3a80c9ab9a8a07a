#pragma once

#include <rapidcheck.h>

#include "verify/generate.hpp"

namespace antiphon::verify {

/// Simpler scripts than this one, the simplest first: fewer actions, then smaller numbers.
rc::Seq<Script> simpler(const Script& script);

/// Simpler scenarios than this one, the simplest first.
rc::Seq<Scenario> simpler(const Scenario& scenario);

/// The generator of a campaign, for rapidcheck: draws and shrinks.
rc::Gen<Scenario> scenarios(const Generation& generation);

}  // namespace antiphon::verify
