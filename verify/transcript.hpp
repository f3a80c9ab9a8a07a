#pragma once

#include <string>
#include <vector>

#include "core/endpoint.hpp"
#include "verify/probe_judge.hpp"

namespace antiphon::verify {

/// What the clients of a run did and met, as a session of nc would show it, line by line:
///
///     $ nc 127.0.0.1 8888
///     > "ab"
///     … 30 ms
///     > "cd"
///     < "ab"
///     < end            where "cd" is owed
///
/// `>` is what the client sends, `<` what it meets: bytes, the server's end, a reset, silence. What came back is shown
/// where the client waits for it. Of more than five clients it shows the one of the fault.
std::vector<std::string> transcript(const Endpoint& at, const Visit& visit, const ClientsRun& run, const Fault& fault);

}  // namespace antiphon::verify
