#include "interpreters/dump.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>
#include <vector>

#include "core/pool.hpp"
#include "core/programs/catalogue.hpp"
#include "core/programs/seed.hpp"
#include "tests/interpreters/dumped.hpp"

namespace antiphon {
namespace {

std::string tree_of(const Server& program, const GraphLimits& limits = {}) {
  return dump(graph_of(program, limits), DumpFormat::tree);
}

/// The tree without the lines of the source, so that an expectation outlives an edit above it.
std::string tree_without_lines(const Server& program, const GraphLimits& limits = {}) {
  return std::regex_replace(tree_of(program, limits), std::regex("  :[0-9]+"), "");
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

TEST(dump, under_an_alarm_what_waits_for_ever_may_expire) {
  const auto may_expire = [](const std::vector<Alarm>& alarms) {
    Server program = Recv{Socket{3}, 0, {}} >> [](const Result<Bytes>& message) -> Server {
      return !message && message.error() == Errno::EXPIRED ? served(Sleep{3}) : ok();
    };
    for (const Alarm& alarm : alarms) {
      program = alarm >> [next = program](const Result<Unit>&) { return next; };
    }
    return tree_of(program).find("Sleep 3 ms") != std::string::npos;
  };
  EXPECT_FALSE(may_expire({}));
  EXPECT_TRUE(may_expire({Alarm{5}}));
  EXPECT_FALSE(may_expire({Alarm{forever_ms}, Alarm{5}})) << "the last one comes first";
  EXPECT_TRUE(may_expire({Alarm{5}, Alarm{forever_ms}}));
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

TEST(dump, whom_a_fork_counts_is_shown_where_it_counts) {
  const auto shows = [](std::int64_t max_per_address, std::string_view line) {
    ProgramOptions options;
    options.session.at_most = 16;
    options.server.max_per_address = max_per_address;
    const std::string tree = tree_without_lines(*program_named("stream", options));
    return tree.find(std::string(line) + '\n') != std::string::npos;
  };
  EXPECT_TRUE(shows(unlimited, " Fork"));
  EXPECT_TRUE(shows(7, " Fork at most alike 7, client₁"));
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
  identities.insert(identity([](ProgramOptions& options) { options.server.max_per_address = 7; }));
  identities.insert(identity([](ProgramOptions& options) { options.session.at_most = 17; }));
  identities.insert(identity([](ProgramOptions& options) { options.session.until.wait_ms = 59'000; }));
  identities.insert(identity([](ProgramOptions& options) { options.session.until.drain_ms = 0; }));
  EXPECT_EQ(identities.size(), 9U);
}

TEST(identity, lines_do_not_change_it) {
  const Server here = Sleep{5};
  const Server there = Sleep{5};
  EXPECT_NE(tree_of(here), tree_of(there));
  EXPECT_EQ(identity_of(here), identity_of(there));
}

TEST(dump, a_walk_gives_back_what_it_took) {
  const std::ptrdiff_t before = pool::outstanding();
  static_cast<void>(graph_of(seed::echo_server()));
  EXPECT_EQ(pool::outstanding(), before);
}

}  // namespace
}  // namespace antiphon
