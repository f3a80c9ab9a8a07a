#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "verify/client_view.hpp"

/// What a server owes its clients, as they see it: judged by what each of them sent and met.

namespace antiphon::verify {

/// How a server failed a client.
enum class Failing : std::uint8_t {
  not_accepted,  ///< The client got no connection, or not in time.
  altered,       ///< What came back is not what was sent on that connection.
  unanswered,    ///< The connection ended, or all was silent, while something was owed.
  not_ended,     ///< The client was owed the server's end, and it did not come.
  reset_at_end,  ///< All was answered, but the connection was reset in place of being ended.
  ended_early,   ///< The client had not ended its side, and the server did.
  held,          ///< The client said nothing for longer than the idle limit, and was not let go of.
  gone,          ///< Afterwards nobody is served any more.
};

struct Fault {
  std::size_t client = 0;  ///< Its place in the visit, from 0.
  Failing failing = Failing::unanswered;
  std::string what;   ///< In words, without subject: `ends the connection`.
  std::string where;  ///< `where "b" is owed`; or nothing.
};

/// `ends the connection where "b" is owed`
std::string sentence(const Fault& fault);

struct ProbeVerdict {
  std::vector<Fault> faults;          ///< At most one for each client.
  std::vector<std::string> unjudged;  ///< Why clients could not be judged. Each reason once.
};

/// Judges a run. Clients that reset, or read nothing from some place on, are owed nothing but that what comes is right.
ProbeVerdict judge_clients(const Visit& visit, const ClientsRun& run);

/// Of a message that is to be answered alone, so many bytes come back at least: what the smallest buffer in use holds.
inline constexpr std::uint64_t surely_one_message = 1024;

}  // namespace antiphon::verify
