#include "interpreters/trace_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "interpreters/trace_json.hpp"
#include "interpreters/trace_scan.hpp"

namespace antiphon {

namespace {

constexpr std::string_view header_start = R"({"antiphon":"trace")";

}  // namespace

BadInput TraceReader::bad(std::string what) const { return bad_input(lines_.number(), std::move(what)); }

/// An event's line holds a message of 1 MiB at most, in hexadecimal digits, and little else.
constexpr std::size_t longest_line = std::size_t{8} << 20U;

TraceReader::TraceReader(std::istream& in) : lines_(in, longest_line) {}

std::expected<TraceHeader, BadInput> TraceReader::header() {
  const auto line = lines_.next();
  if (!line)
    return std::unexpected(bad(lines_.number() == 1 && line.error().starts_with("a NUL") ? no_header : line.error()));
  if (!*line) {
    const std::string_view rest = lines_.rest();
    if (rest.empty()) return std::unexpected(bad("the file is empty"));
    cut_ = rest.starts_with(header_start) || header_start.starts_with(rest);
    return std::unexpected(bad(cut_ ? "the trace is cut off in its header" : no_header));
  }
  auto header = read_header(**line);
  if (!header) return std::unexpected(bad(std::move(header.error())));
  first_processes_ = header->workers;
  return *std::move(header);
}

void TraceReader::go_on(TraceReader next_part) {
  lines_ = std::move(next_part.lines_);
  cut_ = false;
}

std::expected<std::optional<Event>, BadInput> TraceReader::next() {
  const auto line = lines_.next();
  if (!line) return std::unexpected(bad(line.error()));
  if (!*line) {
    cut_ = !lines_.rest().empty();
    return std::nullopt;
  }
  std::optional<Event> event(std::in_place);
  if (!scan_event(**line, *event)) {
    auto read = read_event(**line);
    if (!read) return std::unexpected(bad(std::move(read.error())));
    event = *std::move(read);
  }
  if (const auto* one = std::get_if<ProcessEvent>(&*event)) {
    if (auto what = check_order(*one)) return std::unexpected(bad(*std::move(what)));
  }
  return event;
}

/// What is wrong with an event's place in its process, or nothing.
std::optional<std::string> TraceReader::check_order(const ProcessEvent& event) {
  const auto [process, number] = std::pair(event.process, event.number);
  if (ended_.contains(process)) return fmt::format("process {}: event {} after its end", process, number);
  const auto [place, first] = due_.try_emplace(process, 0);
  if (number != place->second) {
    return fmt::format("process {}: event {} where event {} was due", process, number, place->second);
  }
  if ((first && process >= first_processes_) != is_birth(event)) {
    return is_birth(event) ? fmt::format("process {}: event {} can only be the first of a child", process, number)
                           : fmt::format("process {}: its first event is not the Fork that made it", process);
  }
  ++place->second;
  if (std::holds_alternative<Ended>(event.what)) {
    due_.erase(place);
    ended_.insert(process);
  }
  return std::nullopt;
}

}  // namespace antiphon
