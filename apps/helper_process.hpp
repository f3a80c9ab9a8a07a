#pragma once

#include <functional>

namespace antiphon {

/// A process that helps the server, as the server sees it.
struct HelperProcess {
  int pid = 0;
  int socket = -1;  ///< The server's end of a socket pair, which no other end is left of once the helper has ended.
};

/// Forks a helper, which has to be there before the server has a socket: it outlives the signals that end a server, and
/// holds nothing open that the server lets go of. To be called while there is one thread and no child.
///
/// `work` runs in it, and with its end the helper ends. Its end of the pair is its standard input, and its standard
/// output is standard error; nothing else is open but `kept`, which is its descriptor 3 if it is given. `type`: of the
/// pair. Throws std::system_error with `complaint` when the kernel has no room.
HelperProcess start_helper(int type, const char* complaint, const std::function<void()>& work, int kept = -1);

/// Where a helper has the descriptor that it keeps.
inline constexpr int kept_descriptor = 3;

}  // namespace antiphon
