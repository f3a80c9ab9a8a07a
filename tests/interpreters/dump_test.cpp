#include "interpreters/dump.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <range/v3/algorithm/contains.hpp>
#include <range/v3/view/transform.hpp>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "core/pool.hpp"
#include "core/programs/catalogue.hpp"
#include "core/programs/seed.hpp"
#include "interpreters/responses.hpp"

namespace antiphon {
namespace {

std::string tree_of(const Server& program, const GraphLimits& limits = {}) {
  return dump(graph_of(program, limits), DumpFormat::tree);
}

/// The tree without the lines of the source, so that an expectation outlives an edit above it.
std::string tree_without_lines(const Server& program, const GraphLimits& limits = {}) {
  return std::regex_replace(tree_of(program, limits), std::regex("  :[0-9]+"), "");
}

Server ok() { return ret(Result<Unit>()); }

/// A program whose result does not matter, as a server that ends well.
template <class P>
Server served(P program) {
  return std::move(program) >> [](const auto&) { return ok(); };
}

/// The server's graph, walked once.
const ProgramGraph& graph_named(std::string_view name) {
  static std::map<std::string_view, ProgramGraph> graphs;
  const auto [graph, is_new] = graphs.try_emplace(name);
  if (is_new) graph->second = graph_of(*program_named(name));
  return graph->second;
}

// -- Trees of small programs --------------------------------------------------------------------

TEST(dump, a_result_is_an_end) {
  EXPECT_EQ(tree_of(ok()), "end: ok\n");
  EXPECT_EQ(tree_of(ret(Result<Unit>(failed(Errno::PIPE)))), "end: error\n");
}

TEST(dump, an_instruction_has_its_line_and_a_branch_for_each_class) {
  constexpr int line = __LINE__ + 1;
  const Server program = Sleep{5};
  EXPECT_EQ(tree_of(program), "#1 Sleep 5 ms  :" + std::to_string(line) +
                                  "\n"
                                  "├─ ok: end: ok\n"
                                  "└─ any error: end: error\n");
}

TEST(dump, an_answer_that_makes_no_difference_is_one_branch) {
  EXPECT_EQ(tree_without_lines(served(Close{Socket{3}})),
            "#1 Close socket 3\n"
            "└─ any answer: end: ok\n");
}

TEST(dump, errors_are_grouped_by_where_they_lead) {
  const Server program = iter(Unit{}, [](const Unit&) {
    return Accept{Socket{3}} >> [](const Result<Socket>& client) {
      const bool again = !client && (client.error() == Errno::INTR || client.error() == Errno::PROTO);
      using Turn = Step<Unit, Result<Unit>>;
      return ret(again ? Turn{Continue{Unit{}}} : Turn{Break{Result<Unit>()}});
    };
  });
  EXPECT_EQ(tree_without_lines(program),
            "#1 Accept socket 3\n"
            "├─ client₁: end: ok\n"
            "├─ EINTR, EPROTO: ↑ #1\n"
            "└─ Stopping, any other error: end: ok\n");
}

TEST(dump, a_message_and_its_rest_stand_as_symbols) {
  using Turn = Step<Bytes, Result<Unit>>;
  const Server program =
      Recv{Socket{3}, 100, {.wait_ms = 1500, .drain_ms = forever_ms}} >> [](const Result<Bytes>& message) -> Server {
    if (!message) return ret(Result<Unit>(failed(message.error())));
    return iter(*message, [](const Bytes& left) {
      return Send{Socket{3}, left, {}} >> [=](const Result<std::size_t>& sent) {
        if (sent && *sent < left.size()) return ret(Turn{Continue{left.drop(*sent)}});
        return ret(Turn{Break{Result<Unit>()}});
      };
    });
  };
  EXPECT_EQ(tree_without_lines(program),
            "#1 Recv from socket 3, at most 100, until 1500 ms idle\n"
            "├─ message₁\n"
            "│  #2 Send to socket 3, message₁ | rest of message₁ | \"\", until stop\n"
            "│  ├─ all sent: end: ok\n"
            "│  ├─ part sent: ↑ #2\n"
            "│  └─ any error: end: ok\n"
            "├─ end of input: → #2\n"
            "└─ any error: end: error\n");
}

TEST(dump, the_ends_of_a_message_differ_where_its_size_is_asked) {
  const Server program = Recv{Socket{3}, 100, {}} >> [](const Result<Bytes>& message) -> Server {
    if (message && message->size() == 100) return served(Send{Socket{3}, message->drop(1).take(5), {}});
    return ok();
  };
  EXPECT_EQ(tree_without_lines(program),
            "#1 Recv from socket 3, at most 100, until stop\n"
            "├─ message₁, short: end: ok\n"
            "├─ message₁, full\n"
            "│  #2 Send to socket 3, part of message₁, until stop\n"
            "│  ├─ sent: end: ok\n"
            "│  └─ any error: end: ok\n"
            "├─ end of input: end: ok\n"
            "└─ any error: end: ok\n");
}

TEST(dump, sockets_are_named_by_the_place_that_gave_them) {
  const Server program = Connect{{"::1", 7}, {}} >> [](const Result<Socket>& one) -> Server {
    if (!one) return ok();
    return Connect{{"::1", 8}, {.wait_ms = 10, .drain_ms = 20}} >>
               [=](const Result<Socket>& other) -> Server { return served(Close{other ? *other : *one}); };
  };
  EXPECT_EQ(tree_without_lines(program),
            "#1 Connect to [::1]:7, until stop\n"
            "├─ connection₁\n"
            "│  #2 Connect to [::1]:8, until 10 ms idle, 20 ms after stop\n"
            "│  ├─ connection₂\n"
            "│  │  #3 Close connection₁ | connection₂\n"
            "│  │  └─ any answer: end: ok\n"
            "│  └─ any error: → #3\n"
            "└─ any error: end: ok\n");
}

TEST(dump, a_listener_keeps_its_address) {
  const auto connect_to_it = [](const Result<Endpoint>& address) -> Server {
    return address ? served(Connect{*address, {}}) : ok();
  };
  const auto opened_at = [=](const Endpoint& at) {
    return OpenSocket{at} >> [=](const Result<Socket>& listener) -> Server {
      return listener ? Server(Listen{*listener, 1} >> connect_to_it) : ok();
    };
  };
  EXPECT_NE(tree_of(opened_at({"127.0.0.1", 7})).find("Connect to 127.0.0.1:7"), std::string::npos);
  EXPECT_NE(tree_of(opened_at({"::1", 0})).find("Connect to [::1]:49152"), std::string::npos);
  EXPECT_NE(tree_of(Listen{Socket{3}, 1} >> connect_to_it).find("Connect to 0.0.0.0:49152"), std::string::npos);
}

/// One line of text, two places.
template <class K>
Server pause_then(K next) {
  return Sleep{7} >> [=](const Result<Unit>&) -> Server { return next(); };
}

TEST(dump, a_helper_called_from_two_places_is_two_nodes) {
  const Server program = pause_then([] { return pause_then([] { return ok(); }); });
  EXPECT_EQ(tree_without_lines(program),
            "#1 Sleep 7 ms\n"
            "└─ any answer\n"
            "   #2 Sleep 7 ms\n"
            "   └─ any answer: end: ok\n");
  // Not even if the helper is the very same: what follows it tells the places apart.
  const auto pause = [] { return ignore(Sleep{7}); };
  const Server twice = pause() >> [=](const Unit&) { return pause() >> [](const Unit&) -> Server { return ok(); }; };
  EXPECT_EQ(tree_without_lines(twice), tree_without_lines(program));
}

TEST(dump, a_literal_is_quoted) {
  const Server program = served(Send{Socket{3}, Bytes::copy_of("say \"a\\b\"\r\n\x01\xff|<&#`"), {}});
  const std::string tree = tree_of(program);
  EXPECT_NE(tree.find(R"(Send to socket 3, "say \"a\\b\"\r\n\x01\xff|<&#`", until stop)"), std::string::npos) << tree;
  const std::string dot = dump(graph_of(program), DumpFormat::dot);
  EXPECT_NE(dot.find(R"(\"say \\\"a\\\\b\\\"\\r\\n\\x01\\xff|<&#`\")"), std::string::npos) << dot;
  const std::string mermaid = dump(graph_of(program), DumpFormat::mermaid);
  EXPECT_NE(mermaid.find("#34;say #92;#34;a#92;#92;b"), std::string::npos) << mermaid;
  EXPECT_NE(mermaid.find("xff#124;#60;#38;#35;#96;#34;"), std::string::npos) << mermaid;

  const std::string shown(64, 'a');
  const Server one = served(Send{Socket{3}, Bytes::copy_of(shown + "b"), {}});
  const Server other = served(Send{Socket{3}, Bytes::copy_of(shown + "c"), {}});
  EXPECT_NE(tree_of(one).find("and 1 bytes more"), std::string::npos);
  EXPECT_NE(tree_of(one), tree_of(other));
}

// -- States -------------------------------------------------------------------------------------

/// Rests `turns` times and ends.
Server count_down(std::uint32_t turns) {
  return iter(turns, [](const std::uint32_t& left) {
    return Sleep{10} >> [=](const Result<Unit>&) {
      using Turn = Step<std::uint32_t, Result<Unit>>;
      return ret(left == 0 ? Turn{Break{Result<Unit>()}} : Turn{Continue{left - 1}});
    };
  });
}

TEST(dump, a_count_comes_to_its_end) {
  EXPECT_EQ(tree_without_lines(count_down(1000)),
            "#1 Sleep 10 ms\n"
            "├─ sometimes any answer: ↑ #1\n"
            "└─ sometimes any answer: end: ok\n");
}

TEST(dump, a_loop_that_grows_for_ever_is_cut_and_says_so) {
  EXPECT_EQ(tree_without_lines(count_down(1000), {.most_states_of_a_point = 64}),
            "#1 Sleep 10 ms\n"
            "└─ any answer: ↑ #1\n"
            "\n"
            "not complete:\n"
            "  #1 Sleep: states: 64 of more, the others may lead to branches not shown\n");
  const Server grows = iter(std::uint64_t{0}, [](const std::uint64_t& turns) {
    using Turn = Step<std::uint64_t, Result<Unit>>;
    return Sleep{static_cast<std::int64_t>(turns)} >>
           [=](const Result<Unit>&) { return ret(Turn{Continue{turns + 1}}); };
  });
  EXPECT_EQ(tree_without_lines(grows, {.most_states_of_a_point = 1000}),
            "#1 Sleep 0 s to 1 s\n"
            "└─ any answer: ↑ #1\n"
            "\n"
            "not complete:\n"
            "  #1 Sleep: states: 1000 of more, the others may lead to branches not shown\n");
}

/// A stack of what follows that grows with each answer.
Program<Net, Result<Unit>> nested() {
  return Program<Net, Result<Unit>>(Sleep{1} >> [](const Result<Unit>&) -> Server { return nested(); }) >>
             [](const Result<Unit>& result) -> Server { return ret(result); };
}

TEST(dump, places_without_end_are_cut_and_it_says_so) {
  const ProgramGraph graph = graph_of(nested(), {.most_points = 3});
  EXPECT_EQ(graph.nodes.size(), 3U);
  ASSERT_EQ(graph.remarks().size(), 1U);
  EXPECT_EQ(graph.remarks()[0], "points: 3 of more, the others are not shown");
  EXPECT_NE(dump(graph, DumpFormat::tree).find("any answer: not followed"), std::string::npos);
}

TEST(dump, an_error_that_is_remembered_is_told_apart_later) {
  const Server program = Sleep{1} >> [](const Result<Unit>& first) -> Server {
    return Sleep{2} >> [=](const Result<Unit>&) -> Server {
      return !first && first.error() == Errno::NOMEM ? served(Sleep{3}) : ok();
    };
  };
  EXPECT_EQ(tree_without_lines(program),
            "#1 Sleep 1 ms\n"
            "└─ any answer\n"
            "   #2 Sleep 2 ms\n"
            "   ├─ sometimes any answer\n"
            "   │  #3 Sleep 3 ms\n"
            "   │  └─ any answer: end: ok\n"
            "   └─ sometimes any answer: end: ok\n");
}

// -- Content ------------------------------------------------------------------------------------

TEST(dump, a_program_that_looks_at_content_is_flagged) {
  const Server program = Recv{Socket{3}, 100, {}} >> [](const Result<Bytes>& message) -> Server {
    if (message && message->view() == "quit") return ok();
    return served(Close{Socket{3}});
  };
  const ProgramGraph graph = graph_of(program);
  EXPECT_TRUE(graph.nodes[0].looks_at_content);
  EXPECT_FALSE(graph.nodes[1].looks_at_content);
  const std::string tree = tree_without_lines(program);
  EXPECT_TRUE(tree.starts_with("#1 Recv from socket 3, at most 100, until stop  (looks at content)\n")) << tree;
  EXPECT_TRUE(
      tree.ends_with("not complete:\n"
                     "  #1 Recv: what follows looks at content, which may lead to branches not shown\n"))
      << tree;
  for (const DumpFormat format : {DumpFormat::dot, DumpFormat::mermaid, DumpFormat::json}) {
    EXPECT_NE(dump(graph, format).find("what follows looks at content"), std::string::npos);
  }
}

TEST(dump, moving_content_is_no_look) {
  for (const std::string_view name : program_names) {
    for (const auto& node : graph_named(name).nodes) EXPECT_FALSE(node.looks_at_content) << name;
  }
}

// -- The servers --------------------------------------------------------------------------------

TEST(dump, the_seed_is_the_original) {
  EXPECT_EQ(tree_without_lines(seed::echo_server()), R"(#1 OpenSocket at 127.0.0.1:8888
├─ listener₁
│  #2 Listen listener₁, backlog 1
│  ├─ ok
│  │  #3 Accept listener₁
│  │  ├─ client₁
│  │  │  #4 Fork
│  │  │  ├─ Parent child₁
│  │  │  │  #5 Close client₁
│  │  │  │  ├─ ok: ↑ #3
│  │  │  │  └─ any error: end: error
│  │  │  ├─ Child
│  │  │  │  #6 Recv from client₁, at most 1024, until stop
│  │  │  │  ├─ message₁
│  │  │  │  │  #7 Send to client₁, message₁ | "", until stop
│  │  │  │  │  ├─ sent
│  │  │  │  │  │  #8 Close client₁
│  │  │  │  │  │  ├─ ok: end: ok
│  │  │  │  │  │  └─ any error: end: error
│  │  │  │  │  └─ any error: end: error
│  │  │  │  ├─ end of input: → #7
│  │  │  │  └─ any error: end: error
│  │  │  └─ any error: end: error
│  │  └─ any error: end: error
│  └─ any error: end: error
└─ any error: end: error
)");
}

TEST(dump, the_servers_stand_complete) {
  for (const std::string_view name : program_names) {
    EXPECT_EQ(graph_named(name).remarks(), std::vector<std::string>()) << name;
  }
}

/// The seed, but that the parent may keep the client.
Server seed_like(bool parent_closes) {
  return OpenSocket{{"127.0.0.1", 8888}} >> seed::or_die([=](const Socket& srv) -> Server {
           using Turn = Step<Unit, Result<Unit>>;
           using Turns = Program<Net, Turn>;
           return iter(Unit{}, [=](const Unit&) {
             return Accept{srv} >> [=](const Result<Socket>& client) -> Turns {
               if (!client) return ret(Turn{Break{Result<Unit>(failed(client.error()))}});
               return Fork{} >> [=, client = *client](const Result<Forked>& forked) -> Turns {
                 if (!forked) return ret(Turn{Break{Result<Unit>(failed(forked.error()))}});
                 if (std::holds_alternative<Child>(*forked)) {
                   return seed::echo_handler(client) >> [](const Result<Unit>& over) { return ret(Turn{Break{over}}); };
                 }
                 if (!parent_closes) return ret(Turn{Continue{Unit{}}});
                 return Close{client} >> [](const Result<Unit>&) { return ret(Turn{Continue{Unit{}}}); };
               };
             };
           });
         });
}

TEST(dump, a_dropped_instruction_changes_tree_and_identity) {
  const std::string whole = tree_of(seed_like(true));
  const std::string planted = tree_of(seed_like(false));
  EXPECT_NE(whole.find("├─ Parent child₁\n│  │  │  #4 Close client₁"), std::string::npos) << whole;
  EXPECT_NE(planted.find("├─ Parent child₁: ↑ #2\n"), std::string::npos) << planted;
  EXPECT_NE(identity_of(seed_like(true)), identity_of(seed_like(false)));
}

// -- Identity -----------------------------------------------------------------------------------

TEST(identity, it_is_32_hexadecimal_digits_that_no_compiler_changes) {
  // One literal for every compiler that runs this test.
  EXPECT_EQ(identity_of(count_down(3)), "e90d0f1dbe769ffb8b54e521c50e62d8");
}

TEST(identity, any_operand_changes_it) {
  const auto identity = [](const auto& change) {
    ProgramOptions options;
    options.session.at_most = 16;
    change(options);
    return identity_of(*program_named("stream", options));
  };
  std::set<std::string> identities;
  identities.insert(identity([](ProgramOptions&) {}));
  identities.insert(identity([](ProgramOptions& options) { options.server.at.host = "::1"; }));
  identities.insert(identity([](ProgramOptions& options) { options.server.at.port = 0; }));
  identities.insert(identity([](ProgramOptions& options) { options.server.backlog = 1; }));
  identities.insert(identity([](ProgramOptions& options) { options.server.max_connections = 7; }));
  identities.insert(identity([](ProgramOptions& options) { options.session.at_most = 17; }));
  identities.insert(identity([](ProgramOptions& options) { options.session.until.wait_ms = 59'000; }));
  identities.insert(identity([](ProgramOptions& options) { options.session.until.drain_ms = 0; }));
  EXPECT_EQ(identities.size(), 8U);
}

TEST(identity, lines_do_not_change_it) {
  const Server here = Sleep{5};
  const Server there = Sleep{5};
  EXPECT_NE(tree_of(here), tree_of(there));
  EXPECT_EQ(identity_of(here), identity_of(there));
}

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

TEST(dump, a_walk_gives_back_what_it_took) {
  const std::ptrdiff_t before = pool::outstanding();
  static_cast<void>(graph_of(seed::echo_server()));
  EXPECT_EQ(pool::outstanding(), before);
}

}  // namespace
}  // namespace antiphon
