#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interpreters/program_graph.hpp"

/// A program as text: its graph in one of four notations. The same program gives the same text, byte
/// for byte, in every run and with every compiler.

namespace antiphon {

enum class DumpFormat : std::uint8_t {
  tree,     ///< For people, in a terminal.
  dot,      ///< For Graphviz.
  mermaid,  ///< For Markdown pages: a flowchart.
  json,     ///< For programs.
};

inline constexpr std::string_view dump_format_names[] = {"tree", "dot", "mermaid", "json"};

/// The format of that name, or none.
std::optional<DumpFormat> dump_format_named(std::string_view name);

/// Ends with a newline.
std::string dump(const ProgramGraph& graph, DumpFormat format);

/// How often runs of a program came by, in the order of its graph.
struct Passages {
  struct Node {
    std::uint64_t arrivals = 0;
    std::vector<std::uint64_t> branches;  ///< How often each was taken.
  };
  std::vector<Node> nodes;
};

/// The notations that have a way to show passages.
constexpr bool shows_passages(DumpFormat format) { return format == DumpFormat::tree || format == DumpFormat::dot; }

/// The same, with counts, and marks at what was never reached; as without them if the notation does not show passages.
/// They have as many nodes and branches as the graph.
std::string dump(const ProgramGraph& graph, DumpFormat format, const Passages& passages);

/// 32 hexadecimal digits that tell programs apart: a digest of the JSON dump without the source's
/// lines. Two programs that differ in an instruction, an operand or a branch differ in it; moving the
/// source about, or compiling it with another compiler, does not change it.
std::string identity_of(const ProgramGraph& graph);
std::string identity_of(const Server& program);

}  // namespace antiphon
