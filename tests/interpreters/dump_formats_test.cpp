#include "interpreters/dump_formats.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <range/v3/algorithm/contains.hpp>
#include <range/v3/view/transform.hpp>
#include <regex>
#include <string>
#include <vector>

#include "interpreters/dump.hpp"
#include "interpreters/responses.hpp"
#include "tests/interpreters/dumped.hpp"

namespace antiphon {
namespace {

// -- The notations ------------------------------------------------------------------------------

TEST(dump, formats_have_names) {
  EXPECT_EQ(dump_format_named("tree"), DumpFormat::tree);
  EXPECT_EQ(dump_format_named("dot"), DumpFormat::dot);
  EXPECT_EQ(dump_format_named("mermaid"), DumpFormat::mermaid);
  EXPECT_EQ(dump_format_named("json"), DumpFormat::json);
  EXPECT_EQ(dump_format_named("Tree"), std::nullopt);
  EXPECT_EQ(dump_format_named(""), std::nullopt);
}

class EachServer : public testing::TestWithParam<std::string_view> {
 protected:
  static const ProgramGraph& graph() { return graph_named(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(dump, EachServer, testing::ValuesIn(program_names),
                         [](const auto& server) { return std::string(server.param); });

TEST_P(EachServer, two_walks_see_the_same) { EXPECT_EQ(graph(), graph_of(*program_named(GetParam()))); }

TEST_P(EachServer, every_error_that_is_documented_is_on_a_branch) {
  for (const auto& node : graph().nodes) {
    for (const Errno error : errors_of(code_of(node.instruction))) {
      EXPECT_TRUE(ranges::contains(node.branches | ranges::views::transform([&](const auto& branch) {
                                     return ranges::contains(branch.responses, name_of(error));
                                   }),
                                   true))
          << node.instruction << " " << name_of(error);
    }
  }
}

TEST_P(EachServer, json_is_the_graph) {
  const auto json = nlohmann::json::parse(dump(graph(), DumpFormat::json));
  EXPECT_EQ(json["start"], 1);
  EXPECT_EQ(json["complete"], graph().remarks().empty());
  ASSERT_EQ(json["nodes"].size(), graph().nodes.size());
  std::size_t edges = 0;
  for (std::size_t index = 0; index < graph().nodes.size(); ++index) {
    EXPECT_EQ(json["nodes"][index]["number"], index + 1);
    EXPECT_EQ(json["nodes"][index]["instruction"], graph().nodes[index].instruction);
    EXPECT_EQ(json["nodes"][index]["line"], graph().nodes[index].line);
    edges += graph().nodes[index].branches.size();
  }
  ASSERT_EQ(json["edges"].size(), edges);
  for (const auto& edge : json["edges"]) {
    const auto& to = edge["to"];
    EXPECT_TRUE(to.is_number() ? to <= graph().nodes.size() : to == "ok" || to == "error") << edge;
  }
}

TEST_P(EachServer, graphviz_renders_dot) {
  if (std::system("dot -V >/dev/null 2>&1") != 0) GTEST_SKIP() << "there is no dot here";
  FILE* const renderer = popen("dot -Tsvg >/dev/null", "w");
  ASSERT_NE(renderer, nullptr);
  const std::string text = dump(graph(), DumpFormat::dot);
  EXPECT_EQ(std::fwrite(text.data(), 1, text.size(), renderer), text.size());
  EXPECT_EQ(pclose(renderer), 0);
}

TEST(dump, dot_and_mermaid_name_each_node_and_branch) {
  const Server program = iter(Unit{}, [](const Unit&) {
    return Accept{Socket{3}, Where{}} >> [](const Result<Socket>& client) {
      using Turn = Step<Unit, Result<Unit>>;
      return ret(client ? Turn{Continue{Unit{}}} : Turn{Break{Result<Unit>(failed(client.error()))}});
    };
  });
  const ProgramGraph graph = graph_of(program);
  EXPECT_EQ(dump(graph, DumpFormat::dot),
            "digraph program {\n"
            "  node [shape=plaintext];\n"
            "  start [shape=point];\n"
            "  n1 [shape=box, label=\"#1 Accept socket 3\\l\"];\n"
            "  start -> n1;\n"
            "  n1 -> n1 [label=\"client₁\"];\n"
            "  n1 -> \"end: error\" [label=\"any error\"];\n"
            "}\n");
  EXPECT_EQ(dump(graph, DumpFormat::mermaid),
            "flowchart TD\n"
            "  start(( )) --> n1\n"
            "  n1[\"#35;1 Accept socket 3\"]\n"
            "  n1 -->|\"client₁\"| n1\n"
            "  n1 -->|\"any error\"| end1([\"end: error\"])\n");
}

// -- Passages -----------------------------------------------------------------------------------

/// Closes what it accepts; if it cannot accept, it looks at what another client sends.
ProgramGraph accept_or_look() {
  return graph_of(Accept{Socket{3}, Where{}} >> [](const Result<Socket>& client) -> Server {
    if (client) return served(Close{*client, Where{}});
    return Recv{Socket{4}, 9, {}, Where{}} >> [](const Result<Bytes>& message) -> Server {
      return ret(message && message->view() == "quit" ? Result<Unit>() : Result<Unit>(failed(Errno::PIPE)));
    };
  });
}

const Passages only_accepted{{{7, {7, 0}}, {7, {7}}, {0, {0, 0, 0}}}};

TEST(passages, a_tree_counts_them_and_marks_what_was_never_reached) {
  EXPECT_EQ(dump(accept_or_look(), DumpFormat::tree, only_accepted),
            "#1 Accept socket 3  ×7\n"
            "├─ client₁  ×7\n"
            "│  #2 Close client₁  ×7\n"
            "│  └─ any answer: end: ok  ×7\n"
            "└─ any error  (never taken)\n"
            "   #3 Recv from socket 4, at most 9, until stop  (looks at content)  never reached\n"
            "   ├─ message₁: end: error\n"
            "   ├─ end of input: end: error\n"
            "   └─ any error: end: error\n"
            "\n"
            "not complete:\n"
            "  #3 Recv: what follows looks at content, which may lead to branches not shown\n");
}

TEST(passages, dot_has_dashed_and_grey_what_was_never_reached) {
  EXPECT_EQ(dump(accept_or_look(), DumpFormat::dot, only_accepted),
            "digraph program {\n"
            "  node [shape=plaintext];\n"
            "  start [shape=point];\n"
            "  label=\"not complete:\\l"
            "#3 Recv: what follows looks at content, which may lead to branches not shown\\l\";\n"
            "  n1 [shape=box, label=\"#1 Accept socket 3\\l×7\\l\"];\n"
            "  n2 [shape=box, label=\"#2 Close client₁\\l×7\\l\"];\n"
            "  n3 [shape=box, style=\"bold,dashed\", color=grey, fontcolor=grey, "
            "label=\"#3 Recv from socket 4, at most 9, until stop\\llooks at content\\lnever reached\\l\"];\n"
            "  start -> n1;\n"
            "  n1 -> n2 [label=\"client₁  ×7\"];\n"
            "  n1 -> n3 [label=\"any error\", style=dashed, color=grey, fontcolor=grey];\n"
            "  n2 -> \"end: ok\" [label=\"any answer  ×7\"];\n"
            "  n3 -> \"end: error\" [label=\"message₁\", style=dashed, color=grey, fontcolor=grey];\n"
            "  n3 -> \"end: error\" [label=\"end of input\", style=dashed, color=grey, fontcolor=grey];\n"
            "  n3 -> \"end: error\" [label=\"any error\", style=dashed, color=grey, fontcolor=grey];\n"
            "  \"end: error\" [fontcolor=grey];\n"
            "}\n");
}

TEST(passages, each_server_without_any_is_never_reached) {
  for (const std::string_view name : program_names) {
    Passages none;
    for (const auto& node : graph_named(name).nodes) {
      none.nodes.push_back({0, std::vector<std::uint64_t>(node.branches.size())});
    }
    const std::string plain = dump(graph_named(name), DumpFormat::tree);
    const std::string tree = dump(graph_named(name), DumpFormat::tree, none);
    EXPECT_EQ(std::regex_replace(tree, std::regex("  never reached\n"), "\n"), plain);
    EXPECT_EQ(tree.size() - plain.size(), none.nodes.size() * std::string_view("  never reached").size());
  }
}

TEST(passages, other_notations_do_not_show_them) {
  EXPECT_TRUE(shows_passages(DumpFormat::tree) && shows_passages(DumpFormat::dot));
  for (const DumpFormat format : {DumpFormat::mermaid, DumpFormat::json}) {
    EXPECT_FALSE(shows_passages(format));
    EXPECT_EQ(dump(accept_or_look(), format, only_accepted), dump(accept_or_look(), format));
  }
}

}  // namespace
}  // namespace antiphon
