#include "interpreters/dump.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/digest.hpp"
#include "interpreters/dump_formats.hpp"

namespace antiphon {

std::optional<DumpFormat> dump_format_named(std::string_view name) {
  const auto* const found = std::ranges::find(dump_format_names, name);
  if (found == std::end(dump_format_names)) return std::nullopt;
  return static_cast<DumpFormat>(found - std::begin(dump_format_names));
}

namespace {

std::string dump(const ProgramGraph& graph, DumpFormat format, const Passages* passages) {
  switch (format) {
    case DumpFormat::tree:
      return dump_tree(graph, passages);
    case DumpFormat::dot:
      return dump_dot(graph, passages);
    case DumpFormat::mermaid:
      return dump_mermaid(graph);
    case DumpFormat::json:
      return dump_json(graph, SourceLines::shown);
  }
  return {};
}

}  // namespace

std::string dump(const ProgramGraph& graph, DumpFormat format) { return dump(graph, format, nullptr); }

std::string dump(const ProgramGraph& graph, DumpFormat format, const Passages& passages) {
  return dump(graph, format, &passages);
}

std::string identity_of(const ProgramGraph& graph) {
  Digest digest;
  digest.add_text(dump_json(graph, SourceLines::left_out));
  return fmt::format("{:016x}{:016x}", digest.high(), digest.low());
}

std::string identity_of(const Server& program) { return identity_of(graph_of(program)); }

}  // namespace antiphon
