#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The system calls that move bytes between a process and a descriptor, and the bytes that strace shows of them.

namespace antiphon::verify::foreign {

/// How a call moves bytes.
struct DataCall {
  enum class Shape : std::uint8_t { bytes, vector, message, messages };
  std::string_view name;
  bool receives;
  Shape shape;
  std::optional<std::size_t> flags;  ///< Which argument has MSG_… flags.

  bool operator==(const DataCall&) const = default;
};

/// None: the call moves none, or none that it shows.
std::optional<DataCall> data_call(std::string_view name);

/// A call that moves bytes inside the kernel: which of its arguments are the descriptors.
struct Route {
  std::string_view name;
  std::size_t from;
  std::size_t to;

  bool operator==(const Route&) const = default;
};

/// None: the call is not of that kind.
std::optional<Route> route(std::string_view name);

/// The bytes of a call.
struct Moved {
  std::string bytes;
  std::uint64_t count = 0;  ///< How many there were.
  bool cut = false;         ///< Not all of them are shown.
};

/// What a call with these arguments has moved, of which the result is so many bytes or messages.
Moved moved(const DataCall& kind, const std::vector<std::string_view>& arguments, std::uint64_t result);
/// What a call that begins would send.
Moved offered(const DataCall& kind, const std::vector<std::string_view>& arguments);

}  // namespace antiphon::verify::foreign
