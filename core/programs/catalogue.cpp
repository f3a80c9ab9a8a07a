#include "core/programs/catalogue.hpp"

#include "core/programs/seed.hpp"

namespace antiphon {

std::optional<Server> program_named(std::string_view name, const ProgramOptions& options) {
  if (name == "stream") return tcp_server(options.server, stream_session(options.session));
  if (name == "once") return tcp_server(options.server, once_session(options.session));
  if (name == "seed") return seed::echo_server();
  return std::nullopt;
}

}  // namespace antiphon
