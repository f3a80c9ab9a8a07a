#include "verify/foreign/data_calls.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "interpreters/strace_arguments.hpp"

namespace antiphon::verify::foreign {

namespace {

using Shape = DataCall::Shape;

constexpr std::array data_calls{
    DataCall{"read", true, Shape::bytes, std::nullopt},
    DataCall{"readv", true, Shape::vector, std::nullopt},
    DataCall{"preadv2", true, Shape::vector, std::nullopt},
    DataCall{"recv", true, Shape::bytes, 3},
    DataCall{"recvfrom", true, Shape::bytes, 3},
    DataCall{"recvmsg", true, Shape::message, 2},
    DataCall{"recvmmsg", true, Shape::messages, 3},
    DataCall{"write", false, Shape::bytes, std::nullopt},
    DataCall{"writev", false, Shape::vector, std::nullopt},
    DataCall{"pwritev2", false, Shape::vector, std::nullopt},
    DataCall{"vmsplice", false, Shape::vector, std::nullopt},
    DataCall{"send", false, Shape::bytes, 3},
    DataCall{"sendto", false, Shape::bytes, 3},
    DataCall{"sendmsg", false, Shape::message, 2},
    DataCall{"sendmmsg", false, Shape::messages, 3},
};

constexpr std::array routes{
    Route{"splice", 0, 2},          Route{"tee", 0, 1}, Route{"sendfile", 1, 0}, Route{"sendfile64", 1, 0},
    Route{"copy_file_range", 0, 2},
};

template <class Calls>
auto named(const Calls& calls, std::string_view name) {
  using Found = typename Calls::value_type;
  const auto found = std::ranges::find(calls, name, &Found::name);
  return found == calls.end() ? std::nullopt : std::optional<Found>(*found);
}

void append_shown(Moved& moved, std::string_view text) {
  const auto shown = strace::shown(text);
  if (shown) moved.bytes += shown->bytes;
  // Where strace could not look it writes an address.
  if (!shown || shown->cut) moved.cut = true;
}

/// Bytes that lie in several places, as far as they are known without a gap.
void append_vector(Moved& moved, std::string_view text) {
  for (const std::string_view base : strace::fields(text, "iov_base")) {
    if (moved.cut) return;
    if (base != "NULL") append_shown(moved, base);
  }
}

/// No more than `count` of the bytes, if so many are shown.
void keep(Moved& moved, std::size_t before, std::uint64_t count) {
  const std::uint64_t shown = moved.bytes.size() - before;
  if (shown >= count) moved.cut = false;
  if (shown < count) moved.cut = true;
  moved.bytes.resize(before + std::min<std::size_t>(shown, count));
  moved.count += count;
}

/// The first so many messages of a list.
Moved messages(std::string_view text, std::uint64_t count) {
  Moved result;
  for (const std::string_view message : strace::items_inside(text)) {
    if (count-- == 0 || result.cut) break;
    const std::size_t before = result.bytes.size();
    append_vector(result, message);
    const auto length = strace::number(strace::field(message, "msg_len"));
    keep(result, before, length ? static_cast<std::uint64_t>(*length) : result.bytes.size() - before);
  }
  return result;
}

/// All that the arguments show.
Moved all_shown(const DataCall& kind, const std::vector<std::string_view>& arguments) {
  Moved result;
  if (arguments.size() < 2) {
    result.cut = true;
  } else if (kind.shape == Shape::messages) {
    result = messages(arguments[1], std::numeric_limits<std::uint64_t>::max());
  } else if (kind.shape == Shape::bytes) {
    append_shown(result, arguments[1]);
  } else {
    append_vector(result, arguments[1]);
  }
  return result;
}

}  // namespace

std::optional<DataCall> data_call(std::string_view name) { return named(data_calls, name); }

std::optional<Route> route(std::string_view name) { return named(routes, name); }

Moved moved(const DataCall& kind, const std::vector<std::string_view>& arguments, std::uint64_t result) {
  if (kind.shape == Shape::messages) return arguments.size() < 2 ? Moved{} : messages(arguments[1], result);
  Moved bytes = all_shown(kind, arguments);
  keep(bytes, 0, result);
  return bytes;
}

Moved offered(const DataCall& kind, const std::vector<std::string_view>& arguments) {
  Moved bytes = all_shown(kind, arguments);
  bytes.count = bytes.bytes.size();
  return bytes;
}

}  // namespace antiphon::verify::foreign
