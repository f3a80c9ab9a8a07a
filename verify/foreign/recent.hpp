#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "verify/conversation.hpp"

namespace antiphon::verify::foreign {

/// What was received last on each connection that is open, and on some that have ended: a server that mixes up its
/// clients sends something of it.
class Recent {
 public:
  /// `stream` answers the name of the connection, and what came in on it.
  void open(std::uint64_t number, std::function<Stream()> stream);
  /// What it says now is remembered for a while.
  void close(std::uint64_t number);

  [[nodiscard]] std::size_t open_at_once() const { return open_.size(); }
  /// Of all but this one.
  [[nodiscard]] std::vector<Stream> others(std::uint64_t number) const;

 private:
  std::map<std::uint64_t, std::function<Stream()>> open_;
  std::deque<std::pair<std::string, std::string>> ended_;
};

}  // namespace antiphon::verify::foreign
