#pragma once

#include <optional>
#include <string_view>

#include "core/programs/echo.hpp"
#include "core/programs/server.hpp"
#include "core/programs/tcp_server.hpp"

namespace antiphon {

/// What a program of the catalogue is made from. The seed takes none of it.
struct ProgramOptions {
  ServerOptions server;
  SessionOptions session;
};

/// Names of the servers that come with the library: "stream", "once", "seed".
inline constexpr std::string_view program_names[] = {"stream", "once", "seed"};

/// The server of that name, or none.
std::optional<Server> program_named(std::string_view name, const ProgramOptions& options = {});

}  // namespace antiphon
