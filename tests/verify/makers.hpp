#pragma once

#include <string>

#include "core/programs/catalogue.hpp"
#include "verify/judge.hpp"
#include "verify/performance.hpp"

namespace antiphon::verify {

/// Makes the program of that name, wherever it is to listen.
inline MakeServer maker(const std::string& name, const ProgramOptions& options = {}) {
  return [=](const Endpoint& at) {
    ProgramOptions here = options;
    here.server.at = at;
    return *program_named(name, here);
  };
}

/// What the programs are held to, made by default.
inline Expectations expected_by_default() {
  const ProgramOptions options;
  return {.idle_ms = options.session.until.wait_ms,
          .drain_ms = options.session.until.drain_ms,
          .max_connections = options.server.max_connections};
}

}  // namespace antiphon::verify
