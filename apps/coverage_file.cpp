#include "apps/coverage_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "interpreters/bad_input.hpp"

namespace antiphon {

namespace {

using nlohmann::json;

/// What is wrong with the file.
struct Wrong {
  std::string what;
};

template <class... Arguments>
[[noreturn]] void wrong(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  throw Wrong{fmt::format(text, std::forward<Arguments>(arguments)...)};
}

json parsed(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) wrong("it is a directory");
  std::ifstream file(path, std::ios::binary);
  if (!file) wrong("{}", std::strerror(errno));
  try {
    return json::parse(file);
  } catch (const json::parse_error& error) {
    wrong("not JSON from byte {} on", error.byte);
  } catch (const json::out_of_range&) {
    wrong("a number that is beyond all bounds");
  } catch (const std::ios_base::failure&) {
    wrong("it cannot be read");
  }
}

/// Null where there is no such field.
const json& field(const json& object, const char* name) {
  static const json nothing;
  const auto found = object.find(name);
  return found == object.end() ? nothing : *found;
}

std::string text_in(const json& object, const char* name) {
  const json& value = field(object, name);
  if (!value.is_string()) wrong("the field '{}' is no text", name);
  return value.get<std::string>();
}

std::uint64_t count_in(const json& object, const char* name, const std::string& where) {
  const json& value = field(object, name);
  if (!value.is_number_unsigned()) wrong("{}.{} is not a whole number from 0 on", where, name);
  return value.get<std::uint64_t>();
}

/// A list of as many as the program has.
const json& list_in(const json& object, const char* name, const std::string& where, std::size_t size) {
  const json& value = field(object, name);
  if (!value.is_array()) wrong("{}.{} is no list", where, name);
  if (value.size() != size) wrong("{}.{} has {}, and the program {}", where, name, value.size(), size);
  return value;
}

Passages::Node read_node(const json& object, const std::string& where, std::size_t branches) {
  Passages::Node node{count_in(object, "arrivals", where), {}};
  const json& list = list_in(object, "branches", where, branches);
  for (std::size_t index = 0; index < branches; ++index) {
    node.branches.push_back(count_in(list[index], "passages", fmt::format("{}.branches[{}]", where, index)));
  }
  return node;
}

void check_program(const json& report, const std::string& program, const ProgramGraph& graph) {
  const std::string other = text_in(report, "program");
  if (other != program) wrong("it is of program '{}', not '{}'", other, program);
  const std::string identity = text_in(report, "identity");
  const std::string own = identity_of(graph);
  if (identity != own) wrong("it is of identity '{}', and '{}' has '{}'", identity, program, own);
}

Passages read(const json& report, const std::string& program, const ProgramGraph& graph) {
  const json& coverage = field(report, "coverage");
  if (!coverage.is_object()) wrong("no coverage in it: `echo-verify properties --format json` prints it");
  check_program(report, program, graph);
  Passages passages;
  const json& list = list_in(coverage, "nodes", "coverage", graph.nodes.size());
  for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
    const std::string where = fmt::format("coverage.nodes[{}]", index);
    passages.nodes.push_back(read_node(list[index], where, graph.nodes[index].branches.size()));
  }
  return passages;
}

}  // namespace

std::expected<Passages, std::string> read_coverage(const std::string& path, const std::string& program,
                                                   const ProgramGraph& graph) {
  try {
    return read(parsed(path), program, graph);
  } catch (const Wrong& found) {
    return std::unexpected(fmt::format("'{}': {}", path, bad_input(0, found.what).what));
  }
}

}  // namespace antiphon
