#pragma once

#include <cstdint>
#include <string>

#include "interpreters/dump.hpp"
#include "interpreters/program_graph.hpp"

/// The four notations of a dump, one file each, and the words that they share.

namespace antiphon {

enum class SourceLines : std::uint8_t { shown, left_out };

/// Without passages the program alone.
std::string dump_tree(const ProgramGraph& graph, const Passages* passages);
std::string dump_dot(const ProgramGraph& graph, const Passages* passages);
std::string dump_mermaid(const ProgramGraph& graph);
std::string dump_json(const ProgramGraph& graph, SourceLines lines);

/// An instruction with its operands: "Recv from client₁, at most 1024, until stop".
std::string words_of(const ProgramGraph::Node& node);

/// "end: ok".
std::string words_of(End end);

/// The label, marked if the branch is not always taken.
std::string words_of(const ProgramGraph::Branch& branch);

/// How often a node was come to: "×12", "never reached".
std::string words_of(const Passages::Node& node);

}  // namespace antiphon
