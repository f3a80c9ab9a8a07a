#include "apps/trace_parts.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "apps/input_file.hpp"

namespace antiphon {

namespace {

std::string complaint(const std::string& path, const BadInput& input) {
  return fmt::format("{}:{}: {}", path, input.line, input.what);
}

/// A server that is killed while it begins a part leaves an empty file.
bool is_empty(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_empty(path, ignored);
}

}  // namespace

/// Why the part cannot follow the one before, or nothing.
std::optional<std::string> TraceParts::misplaced(const Part& before, const Part& part) {
  TraceHeader same_run = part.header;
  same_run.part = before.header.part;
  if (same_run != before.header) {
    return fmt::format("{}:1: it is not of the run that '{}' is of", part.path, before.path);
  }
  if (part.header.part == before.header.part + 1) return std::nullopt;
  return fmt::format("{}:1: it is part {}, where part {} is due after '{}'", part.path, part.header.part,
                     before.header.part + 1, before.path);
}

std::expected<TraceParts, std::string> TraceParts::open(const std::vector<std::string>& paths) {
  TraceParts opening;
  for (const std::string& path : paths) {
    auto file = opened(path);
    if (!file) return std::unexpected(file.error());
    TraceReader reader(**file);
    const auto header = reader.header();
    const bool begins_nothing = !opening.parts_.empty() && is_empty(path);
    if (!header && &path == &paths.back() && (reader.cut() || begins_nothing)) {
      opening.cut_in_header_ = begins_nothing ? "the trace is cut off before its last header" : header.error().what;
      return opening;
    }
    if (!header) return std::unexpected(complaint(path, header.error()));
    Part part{path, *std::move(file), std::move(reader), *header};
    if (!opening.parts_.empty()) {
      if (auto why = misplaced(opening.parts_.back(), part)) return std::unexpected(*std::move(why));
    }
    opening.parts_.push_back(std::move(part));
  }
  return opening;
}

std::expected<bool, std::string> TraceParts::read(const std::function<void(const Event&, const TracePlace&)>& see) {
  bool cut = cut_in_header_.has_value();
  // One reader for all: the order of a process's events goes on from part to part.
  TraceReader& reader = parts_.front().reader;
  for (Part& part : parts_) {
    if (&part != &parts_.front()) reader.go_on(std::move(part.reader));
    TracePlace place{part.path, 0};
    for (;;) {
      const auto event = reader.next();
      if (!event) return std::unexpected(complaint(part.path, event.error()));
      if (!*event) break;
      place.line = reader.line();
      see(**event, place);
    }
    cut = cut || reader.cut();
  }
  return cut;
}

}  // namespace antiphon
